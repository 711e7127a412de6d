// SPDX-License-Identifier: Apache-2.0
// The secure loader block: what runs after SKINIT, in this order [docs/interfaces/launch.md]:
//   fence DMA, check what the launcher says, take the TPM, copy, measure, verify, only then parse, load, enter.
// Invariant: the hypervisor is entered only when every step succeeded; any failure caps PCR 17-22 and stops.
#include "dlaunch/slb/console.hpp"
#include "dlaunch/slb/launch.hpp"
#include "dlaunch/slb/physical.hpp"
#include "dlaunch/slb/tpm.hpp"
#include "hypervisor/base/check.hpp"

namespace casemate {

namespace {

/// Stands in when the 8254 does not count: no processor is faster, so every wait is at least as long as it must be.
constexpr std::uint64_t fastest_tsc = 6'000'000; // ticks per millisecond

// In .bss: a variable in .data would be among the measured bytes, and change them (slb.lds forbids it).
std::uint64_t tsc_rate = 0;
HostPhys slb_base{};
bool stopping = false;

/// The log area [docs/launch-failures.md]: over LaunchParams, which nobody reads any more.
void leave_record(slb::LaunchFailure failure, bool capped) {
    const auto* const header = slb::object_at<const launch::SlbHeader>(slb_base);
    *slb::object_at<launch::FailureRecord>(slb_base + header->params_offset) = {
        launch::failure_magic, static_cast<std::uint32_t>(failure), capped ? 1u : 0u};
}

/// The number goes out first: what comes after needs a TPM.
void report(slb::LaunchFailure failure) {
    slb::EventLine line{"launch_failure"};
    line.number("code", static_cast<std::uint32_t>(failure)).text("name", slb::name_of(failure));
    const bool capped = slb::cap_launch_pcrs(hw::TscClock{tsc_rate != 0 ? tsc_rate : fastest_tsc});
    leave_record(failure, capped);
    line.number("capped", capped);
}

[[noreturn]] void stop(slb::LaunchFailure failure) {
    if (stopping) arch::halt_forever(); // a contract was violated while capping
    stopping = true;
    report(failure);
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
    slb_base = HostPhys{base};
    hw::Serial<hw::PortBus>{{}, hw::com1_port}.configure();
    slb::EventLine{"slb_start"}.hex("base", base).number("tsc", tsc);
    const std::uint64_t rate = hw::calibrate_tsc();
    if (rate == 0) stop(slb::LaunchFailure::timer);
    tsc_rate = rate;
    stop(slb::launch(slb_base, tsc, hw::TscClock{rate}));
}

} // namespace casemate
