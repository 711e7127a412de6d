// SPDX-License-Identifier: Apache-2.0
// A verdict in words: the first component that differs, what was expected, what was seen, and the next step.
// For people only; programs read the codes (docs/interfaces/appraisal.md).
#pragma once

#include <string>

#include "attest/appraise/appraisal.hpp"

namespace casemate::verifier {

[[nodiscard]] std::string explanation_of(const attest::Appraisal& appraisal);

/// What a word means, as the beginning of a sentence without its full stop.
[[nodiscard]] const char* meaning_of(attest::AppraisalError error);

} // namespace casemate::verifier
