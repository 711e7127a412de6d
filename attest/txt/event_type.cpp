// SPDX-License-Identifier: Apache-2.0
// See event_type.hpp.
#include "attest/txt/event_type.hpp"

namespace casemate::txt {

namespace {

constexpr EventType types[] = {
    {EVTYPE_PCRMAPPING, "PCRMAPPING", "which PCR map was asked for (a remark of the log)"},
    {EVTYPE_HASH_START, "HASH_START", "the SINIT module that the processor verified and started"},
    {EVTYPE_COMBINED_HASH, "COMBINED_HASH", "what SINIT found, in one digest"},
    {EVTYPE_MLE_HASH, "MLE_HASH", "the measured launched environment (tboot with its command line)"},
    {EVTYPE_BIOSAC_REG_DATA, "BIOSAC_REG_DATA", "the BIOS authenticated code module"},
    {EVTYPE_CPU_SCRTM_STAT, "CPU_SCRTM_STAT", "whether the static root of trust lies in the processor or the BIOS"},
    {EVTYPE_LCP_CONTROL_HASH, "LCP_CONTROL_HASH", "the control word of the launch control policy"},
    {EVTYPE_ELEMENTS_HASH, "ELEMENTS_HASH", "the elements of the launch control policy that matched"},
    {EVTYPE_STM_HASH, "STM_HASH", "the SMI transfer monitor"},
    {EVTYPE_OSSINITDATA_CAP_HASH, "OSSINITDATA_CAP_HASH", "the capabilities that the launcher asked SINIT for"},
    {EVTYPE_SINIT_PUBKEY_HASH, "SINIT_PUBKEY_HASH", "the key that signed the SINIT module"},
    {EVTYPE_LCP_HASH, "LCP_HASH", "the launch control policy"},
    {EVTYPE_LCP_DETAILS_HASH, "LCP_DETAILS_HASH", "which elements of the launch control policy matched"},
    {EVTYPE_LCP_AUTHORITIES_HASH, "LCP_AUTHORITIES_HASH", "who signed the lists of the launch control policy that matched"},
    {EVTYPE_NV_INFO_HASH, "NV_INFO_HASH", "attributes of the TPM's NV indices that TXT uses"},
    {EVTYPE_COLD_BOOT_BIOS_HASH, "COLD_BOOT_BIOS_HASH", "the BIOS at the last cold boot"},
    {EVTYPE_KM_HASH, "KM_HASH", "the key manifest"},
    {EVTYPE_BPM_HASH, "BPM_HASH", "the boot policy manifest"},
    {EVTYPE_KM_INFO_HASH, "KM_INFO_HASH", "about the key manifest"},
    {EVTYPE_BPM_INFO_HASH, "BPM_INFO_HASH", "about the boot policy manifest"},
    {EVTYPE_BOOT_POL_HASH, "BOOT_POL_HASH", "the boot policy of the processor"},
    {EVTYPE_RANDOM_VALUE, "RANDOM_VALUE", "a random value: nothing can be compared with this PCR"},
    {EVTYPE_CAP_VALUE, "CAP_VALUE", "a cap: this PCR says nothing any more"},
    {EVTYPE_TBOOT_MEASUREMENT, "TBOOT", "measured by tboot"},
    {TXT_EVTYPE_SLAUNCH, "SLAUNCH", "measured by TrenchBoot's kernel"},
    {TXT_EVTYPE_SLAUNCH_START, "SLAUNCH_START", "TrenchBoot's kernel begins to measure (a remark of the log)"},
    {TXT_EVTYPE_SLAUNCH_END, "SLAUNCH_END", "TrenchBoot's kernel has measured (a remark of the log)"},
};

} // namespace

const EventType* event_type(std::uint32_t type) {
    for (const EventType& each : types)
        if (each.type == type) return &each;
    return nullptr;
}

const EventType* event_type(std::string_view name) {
    for (const EventType& each : types)
        if (name == each.name) return &each;
    return nullptr;
}

} // namespace casemate::txt
