// SPDX-License-Identifier: Apache-2.0
// A list of expected platforms as CSV [RFC 4180] or JSON, to the body of POST /v1/inventory. Strict: every refusal names its
// line; nothing is skipped.
#pragma once

#include <string>
#include <string_view>

#include "attest/verifier/json.hpp"

namespace casemate::cli {

/// CSV: a header line of `platform_id` and, in any order, `label` and `without_certificate` (yes, no or empty); fields may be
/// quoted. JSON: `{"entries": [...]}` as the API has it, passed on after its syntax was checked. Throws CannotRun.
[[nodiscard]] verifier::Json inventory_of(std::string_view text);

} // namespace casemate::cli
