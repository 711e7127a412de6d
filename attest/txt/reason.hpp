// SPDX-License-Identifier: Apache-2.0
// Why a TXT launch is not believed: one word each, shown to people and tested one by one. docs/interfaces/txt-evidence.md explains
// every one; the words are wire contract, the numbers are not.
#pragma once

#include <cstdint>

namespace casemate::txt {

enum class TxtReason : std::uint8_t {
    // the file
    log_text,
    log_tpm12,
    log_too_long,
    log_header,
    // its records
    record_truncated,
    record_digests,
    record_count,
    digest_missing,
    // the grammar of each PCR
    no_launch,
    event_unknown,
    event_pcr,
    event_order,
    event_repeated,
    event_missing,
    event_payload,
    event_digest,
    hash_start_zero,
    launch_capped,
    map_differs,
    // the banks
    bank_sha1_only,
    bank_incomplete,
    // the quote
    quote_malformed,
    quote_magic,
    quote_type,
    signature_malformed,
    signature_invalid,
    ak_malformed,
    ak_attributes,
    ak_unrestricted,
    nonce_mismatch,
    nonce_unchecked,
    clock_unsafe,
    pcr_selection,
    pcr_not_logged,
    pcr_values,
    not_launched,
    launch_not_finished,
    log_replay,
    // the reference
    reference_bank,
    pcr_differs,
    reference_event_differs,
    reference_event_missing,
    reference_event_unknown,
};
inline constexpr TxtReason last_txt_reason = TxtReason::reference_event_unknown;

/// The word.
[[nodiscard]] const char* name_of(TxtReason reason);

} // namespace casemate::txt
