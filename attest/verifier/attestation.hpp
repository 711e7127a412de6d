// SPDX-License-Identifier: Apache-2.0
// Challenge, evidence, verdict: takes the challenge (once), hands the evidence to the pure appraiser, stores what
// came out with the evidence itself, and answers with grants. Nothing here judges evidence: attest/appraise does.
// Routes: POST .../challenges, POST .../evidence, GET .../orders.
#pragma once

#include "attest/verifier/grants.hpp"
#include "attest/verifier/reference_set.hpp"

namespace casemate::verifier {

class Attestation {
public:
    Attestation(const Context& context, const ReferenceLibrary& references, const Grants& grants)
        : context_{context}, references_{references}, grants_{grants} {}

    [[nodiscard]] Answer challenge(const std::string& platform_id) const;
    [[nodiscard]] Answer evidence(const std::string& platform_id, const Json& body, const std::string& raw_body) const;
    [[nodiscard]] Answer orders(const std::string& platform_id) const;

private:
    [[nodiscard]] Result<store::Challenge, ApiError> take_challenge(const std::string& id,
                                                                    const std::string& platform_id) const;
    void remember(const store::Challenge& challenge, const attest::Appraisal& appraisal, const Issued& issued,
                  const std::string& raw_body) const;
    [[nodiscard]] std::int64_t next_in(const Issued& issued) const;

    const Context& context_;
    const ReferenceLibrary& references_;
    const Grants& grants_;
};

} // namespace casemate::verifier
