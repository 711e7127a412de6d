// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/slb/launch_failure.hpp"

namespace casemate::slb {

std::string_view name_of(LaunchFailure failure) {
    switch (failure) {
    case LaunchFailure::processor: return "processor";
    case LaunchFailure::timer: return "timer";
    case LaunchFailure::contract: return "contract";
    case LaunchFailure::iommu_missing: return "iommu_missing";
    case LaunchFailure::iommu_several: return "iommu_several";
    case LaunchFailure::iommu_unsupported: return "iommu_unsupported";
    case LaunchFailure::iommu_stuck: return "iommu_stuck";
    case LaunchFailure::params_header: return "params_header";
    case LaunchFailure::params_tcb: return "params_tcb";
    case LaunchFailure::params_file: return "params_file";
    case LaunchFailure::params_pointer: return "params_pointer";
    case LaunchFailure::params_memory_map: return "params_memory_map";
    case LaunchFailure::params_image: return "params_image";
    case LaunchFailure::params_placement: return "params_placement";
    case LaunchFailure::tpm_absent: return "tpm_absent";
    case LaunchFailure::tpm_locality: return "tpm_locality";
    case LaunchFailure::tpm_transport: return "tpm_transport";
    case LaunchFailure::tpm_refused: return "tpm_refused";
    case LaunchFailure::tpm_banks: return "tpm_banks";
    case LaunchFailure::tpm_pcr_state: return "tpm_pcr_state";
    case LaunchFailure::log_full: return "log_full";
    case LaunchFailure::policy_form: return "policy_form";
    case LaunchFailure::policy_signature: return "policy_signature";
    case LaunchFailure::hypervisor_form: return "hypervisor_form";
    }
    return "unknown";
}

LaunchFailure failure_of(hw::DenyError error) {
    return error == hw::DenyError::stuck ? LaunchFailure::iommu_stuck : LaunchFailure::iommu_unsupported;
}

LaunchFailure failure_of(hw::TisError error) {
    switch (error) {
    case hw::TisError::absent: return LaunchFailure::tpm_absent;
    case hw::TisError::no_locality: return LaunchFailure::tpm_locality;
    default: return LaunchFailure::tpm_transport;
    }
}

LaunchFailure failure_of(ParamsError error) {
    switch (error) {
    case ParamsError::header: return LaunchFailure::params_header;
    case ParamsError::tcb: return LaunchFailure::params_tcb;
    case ParamsError::file: return LaunchFailure::params_file;
    case ParamsError::pointer: return LaunchFailure::params_pointer;
    case ParamsError::memory_map: return LaunchFailure::params_memory_map;
    case ParamsError::image: return LaunchFailure::params_image;
    case ParamsError::placement: return LaunchFailure::params_placement;
    }
    return LaunchFailure::params_header;
}

} // namespace casemate::slb
