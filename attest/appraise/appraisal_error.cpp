// SPDX-License-Identifier: Apache-2.0
// The words, in the order of the enumeration.
#include "attest/appraise/appraisal_error.hpp"

#include <cstddef>

namespace casemate::attest {

namespace {

constexpr const char* names[] = {
    "quote_malformed", "quote_magic", "quote_type", "signature_malformed", "signature_invalid",
    "nonce_too_short", "nonce_mismatch", "bank_refused", "firmware_not_quoted",
    "firmware_log_missing", "pcr_selection", "clock_unsafe", "clock_reset_count",
    "clock_restart_count", "clock_value",
    "log_malformed", "log_banks", "firmware_log_malformed", "firmware_log_banks", "not_launched", "launch_not_finished", "log_replay",
    "event_type", "event_pcr", "event_unknown", "event_order", "event_missing", "event_payload", "event_digest",
    "ledger_malformed", "ledger_sequence", "ledger_time", "ledger_order", "ledger_custody",
    "launch_kind", "reference_missing", "reference_bank", "reference_not_yet_valid",
    "reference_expired", "policy_epoch_low", "owner_key_unknown", "owner_key_not_yet_valid", "owner_key_expired", "owner_key_revoked",
    "grant_key_unknown", "grant_key_not_yet_valid", "grant_key_expired", "grant_key_revoked", "slb_differs", "hypervisor_differs", "owner_key_differs",
    "policy_differs", "policy_epoch", "vm_count", "vm_kernel_differs", "vm_initrd_differs",
    "vm_command_line_differs", "vm_definition_differs", "firmware_missing", "firmware_differs",
    "gate_malformed", "gate_launch", "gate_not_open", "gate_device", "gate_holder", "gate_isolation",
    "gate_tainted", "gate_repeated",
    "lease_not_held",
};
static_assert(sizeof(names) / sizeof(names[0]) == static_cast<std::size_t>(last_appraisal_error) + 1);

} // namespace

const char* name_of(AppraisalError error) { return names[static_cast<std::size_t>(error)]; }

} // namespace casemate::attest
