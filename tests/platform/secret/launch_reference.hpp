// SPDX-License-Identifier: Apache-2.0
// Reference values of a sample platform's launch with its PCR values, as the owner's tools want them and the attestation service takes them.
#pragma once

#include "tests/unit/verifier_fixture.hpp"

#include <catch2/catch.hpp>

namespace casemate::secret_test {

inline verifier::Json reference_of(const test::Platform& platform) {
    const test::EvidenceBuilder& builder = platform.builder;
    measure::Banks bank;
    REQUIRE(bank.add(measure::TPM_ALG_ID::SHA256));
    measure::LaunchPcrs pcrs{bank};
    REQUIRE((pcrs.extend(measure::pcr_launch, builder.reference.slb) && pcrs.extend(measure::pcr_launch, builder.reference.hypervisor) &&
             pcrs.extend(measure::pcr_authority, measure::hash_all(bank, builder.owner_key)) &&
             pcrs.extend(measure::pcr_authority, builder.reference.policy_digest)));
    verifier::Json reference = test::TestVerifier::reference(platform);
    for (const std::uint32_t pcr : {measure::pcr_launch, measure::pcr_authority})
        reference["pcrs"]["sha256"][std::to_string(pcr)] = verifier::to_hex(pcrs.value(measure::TPM_ALG_ID::SHA256, pcr).view());
    return reference;
}

} // namespace casemate::secret_test
