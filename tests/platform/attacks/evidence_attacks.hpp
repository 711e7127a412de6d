// SPDX-License-Identifier: Apache-2.0
// Lies about the platform, each made of honest evidence by one change, with the words that the verifier must find for it.
#pragma once

#include "tests/platform/attacks/attacker.hpp"
#include "tests/platform/attacks/other_tpm.hpp"

namespace casemate::platform_test {

/// `other` must outlive the attacks.
[[nodiscard]] std::vector<EvidenceAttack> evidence_attacks(const OtherTpm& other);

} // namespace casemate::platform_test
