// SPDX-License-Identifier: Apache-2.0
// The launch's lines on COM1, readable by machines: `@cm event=<name> key=value ...` [docs/interfaces/events].
// A line is a temporary object: its destructor ends it. Bounded: see serial.hpp.
#pragma once

#include "hypervisor/hw/serial.hpp"

#include <string_view>

namespace casemate::slb {

class EventLine {
public:
    explicit EventLine(std::string_view event);
    ~EventLine();
    EventLine(const EventLine&) = delete;
    EventLine& operator=(const EventLine&) = delete;

    EventLine& text(std::string_view key, std::string_view value);
    EventLine& number(std::string_view key, std::uint64_t value); // decimal
    EventLine& hex(std::string_view key, std::uint64_t value);

private:
    void key(std::string_view name);
    void digits(std::uint64_t value, unsigned base);

    hw::Serial<hw::PortBus> line_{{}, hw::com1_port};
};

} // namespace casemate::slb
