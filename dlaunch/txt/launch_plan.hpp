// SPDX-License-Identifier: Apache-2.0
// Where everything of a launch lies that a boot loader has loaded: LaunchParams, and the places for what must be found room for.
// Pure; called by the hand-over. What it says is checked again by the SLB, which trusts none of it.
#pragma once

#include "dlaunch/txt/boot_information.hpp"

namespace casemate::txt {

inline constexpr std::uint64_t tcb_size = 64 * 1024 * 1024;

struct LaunchPlan {
    launch::LaunchParams params{};
    HostRange slb_file{};   // the module
    HostRange slb{};        // 64 KiB for it
    HostRange memory_map{}; // MemoryRange[]
    HostRange images{};     // Image[]; the names are the modules'
};

/// `own`: where the hand-over itself lies, with the information. `memory`: usable_memory().
[[nodiscard]] Result<LaunchPlan, HandOverError> plan_launch(const BootInformation& boot, std::span<const launch::MemoryRange> memory,
                                                            std::span<const HostRange> own);

/// Is a module an image of a VM, and not one of the three files of the launch?
[[nodiscard]] bool is_image(const BootModule& module);

} // namespace casemate::txt
