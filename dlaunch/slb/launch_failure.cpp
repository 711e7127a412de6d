// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/slb/launch_failure.hpp"

namespace casemate::slb {

namespace {

/// Names as arrays: string_views would cost a relocation each, and the SLB has to fit into 64 KiB.
struct Name {
    LaunchFailure failure : 8;
    char text[19];
};
constexpr Name names[] = {
    {LaunchFailure::processor, "processor"},
    {LaunchFailure::timer, "timer"},
    {LaunchFailure::contract, "contract"},
    {LaunchFailure::iommu_missing, "iommu_missing"},
    {LaunchFailure::iommu_several, "iommu_several"},
    {LaunchFailure::iommu_unsupported, "iommu_unsupported"},
    {LaunchFailure::iommu_stuck, "iommu_stuck"},
    {LaunchFailure::params_header, "params_header"},
    {LaunchFailure::params_tcb, "params_tcb"},
    {LaunchFailure::params_file, "params_file"},
    {LaunchFailure::params_pointer, "params_pointer"},
    {LaunchFailure::params_memory_map, "params_memory_map"},
    {LaunchFailure::params_image, "params_image"},
    {LaunchFailure::params_placement, "params_placement"},
    {LaunchFailure::tpm_absent, "tpm_absent"},
    {LaunchFailure::tpm_locality, "tpm_locality"},
    {LaunchFailure::tpm_transport, "tpm_transport"},
    {LaunchFailure::tpm_refused, "tpm_refused"},
    {LaunchFailure::tpm_banks, "tpm_banks"},
    {LaunchFailure::tpm_pcr_state, "tpm_pcr_state"},
    {LaunchFailure::log_full, "log_full"},
    {LaunchFailure::policy_form, "policy_form"},
    {LaunchFailure::policy_signature, "policy_signature"},
    {LaunchFailure::policy_threshold, "policy_threshold"},
    {LaunchFailure::hypervisor_form, "hypervisor_form"},
};

} // namespace

const char* name_of(LaunchFailure failure) {
    for (const Name& name : names)
        if (name.failure == failure) return name.text;
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
    constexpr auto first = static_cast<std::uint32_t>(LaunchFailure::params_header);
    static_assert(static_cast<std::uint32_t>(LaunchFailure::params_placement) - first ==
                  static_cast<std::uint32_t>(ParamsError::placement) - static_cast<std::uint32_t>(ParamsError::header));
    return static_cast<LaunchFailure>(first + static_cast<std::uint32_t>(error) -
                                      static_cast<std::uint32_t>(ParamsError::header));
}

} // namespace casemate::slb
