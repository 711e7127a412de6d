// SPDX-License-Identifier: Apache-2.0
// The secure loader block: what runs after SKINIT, in this order [docs/interfaces/launch.md]:
//   fence DMA, check what the launcher says, take the TPM, copy, measure, verify, only then parse, load, enter.
// Invariant: the hypervisor is entered only when every step succeeded; any failure caps PCR 17-22 and stops.
#include "dlaunch/slb/console.hpp"
#include "dlaunch/slb/launch.hpp"
#include "dlaunch/slb/tpm.hpp"
#include "hypervisor/base/check.hpp"

namespace casemate {

namespace {

/// Stands in when the 8254 does not count: no processor is faster, so every wait is at least as long as it must be.
constexpr std::uint64_t fastest_tsc = 6'000'000; // ticks per millisecond

// In .bss: a variable in .data would be among the measured bytes, and change them (slb.lds forbids it).
std::uint64_t tsc_rate = 0;
bool stopping = false;

[[noreturn]] void stop(slb::LaunchFailure failure) {
    if (stopping) arch::halt_forever(); // a contract was violated while capping
    stopping = true;
    slb::EventLine{"launch_failure"}
        .number("code", static_cast<std::uint32_t>(failure))
        .text("name", slb::name_of(failure))
        .number("capped", slb::cap_launch_pcrs(hw::TscClock{tsc_rate != 0 ? tsc_rate : fastest_tsc}));
    arch::halt_forever();
}

} // namespace

void contract_violated(const char* what, const char* file, int line) {
    slb::EventLine{"contract_violated"}
        .text("file", file)
        .number("line", static_cast<unsigned>(line))
        .text("what", what);
    stop(slb::LaunchFailure::contract);
}

/// Called by entry.S.
extern "C" [[noreturn]] void slb_main(std::uint64_t base, std::uint64_t tsc) {
    hw::Serial<hw::PortBus>{{}, hw::com1_port}.configure();
    slb::EventLine{"slb_start"}.hex("base", base).number("tsc", tsc);
    const std::uint64_t rate = hw::calibrate_tsc();
    if (rate == 0) stop(slb::LaunchFailure::timer);
    tsc_rate = rate;
    stop(slb::launch(HostPhys{base}, tsc, hw::TscClock{rate}));
}

} // namespace casemate
