// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/log.hpp"

#include "hypervisor/arch/cpu_tables.hpp"
#include "hypervisor/arch/host_apic.hpp"
#include "hypervisor/arch/instructions.hpp"
#include "hypervisor/base/check.hpp"
#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/hw/serial.hpp"

#include <algorithm>

namespace casemate::core {
namespace {

SpinLock console_lock;
constinit hw::Serial console{hw::PortBus{}, hw::com1_port};
constexpr char digits[] = "0123456789abcdef";

} // namespace

void open_console() { console.configure(); }

LogLine::~LogLine() {
    const LockGuard guard{console_lock};
    console.write({line_, size_});
    console.write("\n");
}

LogLine& LogLine::text(std::string_view piece) {
    const std::size_t count = std::min(piece.size(), capacity - size_);
    std::copy_n(piece.begin(), count, line_ + size_);
    size_ += count;
    return *this;
}

LogLine& LogLine::number(std::uint64_t value) {
    char reversed[20];
    std::size_t count = 0;
    do reversed[count++] = digits[value % 10];
    while ((value /= 10) != 0);
    while (count > 0) text({&reversed[--count], 1});
    return *this;
}

LogLine& LogLine::hex(std::uint64_t value) {
    text("0x");
    unsigned shift = 60;
    while (shift > 0 && value >> shift == 0) shift -= 4;
    for (;; shift -= 4) {
        text({&digits[value >> shift & 15], 1});
        if (shift == 0) return *this;
    }
}

LogLine& LogLine::bytes(ByteView value) {
    for (const std::uint8_t byte : value) text({&digits[byte >> 4], 1}).text({&digits[byte & 15], 1});
    return *this;
}

} // namespace casemate::core

namespace casemate {

void contract_violated(const char* what, const char* file, int line) {
    arch::stop_all_cores();
    core::LogLine{"@cm event=hypervisor_stopped"}
        .key("file", file)
        .key("line", static_cast<unsigned>(line))
        .key("what", what);
    arch::halt_forever();
}

namespace arch {

void on_host_exception(const InterruptFrame& frame) {
    core::LogLine{"hypervisor exception"}
        .key("vector", frame.vector)
        .key_hex("error", frame.error_code)
        .key_hex("rip", frame.rip)
        .key_hex("cr2", read_cr2())
        .key_hex("rsp", frame.rsp);
    contract_violated("exception in the hypervisor", __FILE_NAME__, static_cast<int>(frame.vector));
}

} // namespace arch
} // namespace casemate
