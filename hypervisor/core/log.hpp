// SPDX-License-Identifier: Apache-2.0
// One line on COM1, built piece by piece and written whole by the destructor, so that lines of several cores and
// consoles never mix. Machine-readable lines start with "@cm event=NAME" and go on with key=value.
//   LogLine{"@cm event=vm_started"}.key("vm", vm.name());
// Any core, any time, interrupts off or on. Longer lines than the buffer are cut.
#pragma once

#include "hypervisor/base/bytes.hpp"

#include <cstdint>
#include <string_view>

namespace casemate::core {

/// Before the first line.
void open_console();

class LogLine {
public:
    explicit LogLine(std::string_view start) { text(start); }
    ~LogLine();
    LogLine(const LogLine&) = delete;
    LogLine& operator=(const LogLine&) = delete;

    LogLine& text(std::string_view piece);
    LogLine& number(std::uint64_t value);
    LogLine& hex(std::uint64_t value); // 0x and no leading zeros
    LogLine& bytes(ByteView value);    // two hex digits each

    /// " name=value"
    LogLine& key(std::string_view name, std::string_view value) { return label(name).text(value); }
    LogLine& key(std::string_view name, std::uint64_t value) { return label(name).number(value); }
    LogLine& key_hex(std::string_view name, std::uint64_t value) { return label(name).hex(value); }
    LogLine& key_bytes(std::string_view name, ByteView value) { return label(name).bytes(value); }

private:
    LogLine& label(std::string_view name) { return text(" ").text(name).text("="); }

    static constexpr std::size_t capacity = 512;
    char line_[capacity];
    std::size_t size_ = 0;
};

} // namespace casemate::core
