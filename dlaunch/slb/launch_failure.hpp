// SPDX-License-Identifier: Apache-2.0
// Why a launch stopped: one number each, for ever [docs/launch-failures.md]. Numbers are not reused.
#pragma once

#include "dlaunch/slb/elf_image.hpp"
#include "dlaunch/slb/launch_params.hpp"
#include "hypervisor/hw/amdvi_deny.hpp"
#include "hypervisor/hw/tpm_tis.hpp"


namespace casemate::slb {

enum class LaunchFailure : std::uint32_t {
    processor = 1, // entry.S: POST code C1, nothing on the console
    timer = 2,
    contract = 3,

    iommu_missing = 10,
    iommu_several = 11,
    iommu_unsupported = 12,
    iommu_stuck = 13,

    params_header = 20,
    params_tcb = 21,
    params_file = 22,
    params_pointer = 23,
    params_memory_map = 24,
    params_image = 25,
    params_placement = 26,

    tpm_absent = 30,
    tpm_locality = 31,
    tpm_transport = 32,
    tpm_refused = 33,
    tpm_banks = 34,
    tpm_pcr_state = 35,

    log_full = 40,

    policy_form = 50,
    policy_signature = 51,
    policy_threshold = 52,

    hypervisor_form = 60,
};

const char* name_of(LaunchFailure failure);

LaunchFailure failure_of(hw::DenyError error);
LaunchFailure failure_of(hw::TisError error);
LaunchFailure failure_of(ParamsError error);

} // namespace casemate::slb
