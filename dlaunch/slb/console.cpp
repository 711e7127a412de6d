// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/slb/console.hpp"

namespace casemate::slb {

EventLine::EventLine(const char* event) {
    line_.write("@cm");
    text("event", event);
}

EventLine::~EventLine() { line_.write("\n"); }

EventLine& EventLine::text(const char* name, const char* value) {
    key(name);
    line_.write(value);
    return *this;
}

EventLine& EventLine::number(const char* name, std::uint64_t value) {
    key(name);
    digits(value, 10);
    return *this;
}

EventLine& EventLine::hex(const char* name, std::uint64_t value) {
    key(name);
    line_.write("0x");
    digits(value, 16);
    return *this;
}

void EventLine::key(const char* name) {
    line_.write(" ");
    line_.write(name);
    line_.write("=");
}

void EventLine::digits(std::uint64_t value, unsigned base) {
    char buffer[20];
    std::size_t start = sizeof buffer;
    do {
        buffer[--start] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    line_.write({buffer + start, sizeof buffer - start});
}

} // namespace casemate::slb
