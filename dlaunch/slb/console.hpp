// SPDX-License-Identifier: Apache-2.0
// The launch's lines on COM1, readable by machines: `@cm event=<name> key=value ...` [docs/interfaces/events].
// A line is a temporary object: its destructor ends it. Bounded: see serial.hpp.
// Texts end with NUL: a string_view at each call would cost the SLB's 64 KiB more than finding the end here.
#pragma once

#include "hypervisor/hw/serial.hpp"

namespace casemate::slb {

class EventLine {
public:
    explicit EventLine(const char* event);
    ~EventLine();
    EventLine(const EventLine&) = delete;
    EventLine& operator=(const EventLine&) = delete;

    EventLine& text(const char* key, const char* value);
    EventLine& number(const char* key, std::uint64_t value); // decimal
    EventLine& hex(const char* key, std::uint64_t value);

private:
    void key(const char* name);
    void digits(std::uint64_t value, unsigned base);

    hw::Serial<hw::PortBus> line_{{}, hw::com1_port};
};

} // namespace casemate::slb
