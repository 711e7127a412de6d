// SPDX-License-Identifier: Apache-2.0
// The trustworthiness vector of a judgement [draft-ietf-rats-ar4si 2.3.4]: which part of the platform a finding is about.
#pragma once

#include "attest/verifier/judgement.hpp"

namespace casemate::verifier {

/// `{"instance-identity": .., "configuration": .., "executables": .., "hardware": ..}`; 0 = no claim is made.
[[nodiscard]] Json trust_vector(const Judgement& judgement);

} // namespace casemate::verifier
