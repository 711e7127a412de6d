// SPDX-License-Identifier: Apache-2.0
// Enrolment: a platform proves that its attestation key lives in the TPM of its EK certificate (credential
// activation, [TPM2-P1 24]) and gets a token for the other calls. The first activation binds the AK to the platform
// for good; an operator alone can allow another one. A TPM without a certificate enrols only when an owner listed it. Routes: POST /v1/enrolments, .../activation.
#pragma once

#include "attest/verifier/context.hpp"
#include "attest/verifier/ek_certificate.hpp"
#include "attest/verifier/json.hpp"
#include "attest/verifier/tpm_public.hpp"

namespace casemate::verifier {

class Enrolment {
public:
    Enrolment(const Context& context, const EkAuthorities& authorities)
        : context_{context}, authorities_{authorities} {}

    [[nodiscard]] Answer begin(const Json& body) const;
    [[nodiscard]] Answer activate(std::string_view enrolment_id, const Json& body) const;

private:
    [[nodiscard]] Result<store::Enrolment, ApiError> check(const Json& body, struct EnrolmentKeys& keys) const;
    /// The certificate, or the owner's word where the TPM has none.
    [[nodiscard]] Status<ApiError> check_genuine(const Bytes& certificate, const EndorsementKey& ek) const;
    [[nodiscard]] Status<ApiError> check_standing(const std::string& platform_id) const;
    [[nodiscard]] Answer bind(const store::Enrolment& enrolment) const;

    const Context& context_;
    const EkAuthorities& authorities_;
};

} // namespace casemate::verifier
