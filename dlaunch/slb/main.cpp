// SPDX-License-Identifier: Apache-2.0
// The secure loader block: what runs after SKINIT, in this order [docs/interfaces/launch.md]:
//   fence DMA, check what the launcher says, take the TPM, copy, measure, verify, only then parse, load, enter.
// Invariant: the hypervisor is entered only when every step succeeded; any failure caps PCR 17-22 and stops.
#include "dlaunch/slb/console.hpp"
#include "dlaunch/slb/launch.hpp"
#include "hypervisor/base/check.hpp"

namespace casemate {

namespace {

[[noreturn]] void stop(slb::LaunchFailure failure) {
    slb::EventLine{"launch_failure"}
        .number("code", static_cast<std::uint32_t>(failure))
        .text("name", slb::name_of(failure));
    arch::halt_forever();
}

} // namespace

void contract_violated(const char* what, const char* file, int line) {
    slb::EventLine{"contract_violated"}.text("file", file).number("line", static_cast<unsigned>(line)).text("what", what);
    stop(slb::LaunchFailure::contract);
}

/// Called by entry.S.
extern "C" [[noreturn]] void slb_main(std::uint64_t base, std::uint64_t tsc) {
    hw::Serial<hw::PortBus>{{}, hw::com1_port}.configure();
    slb::EventLine{"slb_start"}.hex("base", base).number("tsc", tsc);
    stop(slb::launch(HostPhys{base}, tsc));
}

} // namespace casemate
