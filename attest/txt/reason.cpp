// SPDX-License-Identifier: Apache-2.0
// See reason.hpp.
#include "attest/txt/reason.hpp"

#include <array>
#include <cstddef>

namespace casemate::txt {

namespace {

constexpr std::array names{
    "log_text", "log_tpm12", "log_too_long", "log_header", "record_truncated", "record_digests", "record_count", "digest_missing",
    "no_launch", "event_unknown", "event_pcr", "event_order", "event_repeated", "event_missing", "event_payload", "event_digest",
    "hash_start_zero", "launch_capped", "map_differs", "bank_sha1_only", "bank_incomplete", "quote_malformed", "quote_magic",
    "quote_type", "signature_malformed", "signature_invalid", "ak_malformed", "ak_attributes", "ak_unrestricted", "nonce_mismatch",
    "nonce_unchecked", "clock_unsafe", "pcr_selection", "pcr_not_logged", "pcr_values", "not_launched", "launch_not_finished",
    "log_replay", "reference_bank", "pcr_differs", "reference_event_differs", "reference_event_missing", "reference_event_unknown"};
static_assert(names.size() == static_cast<std::size_t>(last_txt_reason) + 1);

} // namespace

const char* name_of(TxtReason reason) { return names[static_cast<std::size_t>(reason)]; }

} // namespace casemate::txt
