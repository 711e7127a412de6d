// SPDX-License-Identifier: Apache-2.0
// Which owners' and grant keys count: imported by their certificates, revoked for good. The router has checked the caller's role, an
// owner's: that is what makes a certificate count, whoever made it. What follows for evidence: attest/appraise/key_register.hpp.
#pragma once

#include "attest/verifier/context.hpp"
#include "attest/verifier/json.hpp"

namespace casemate::verifier {

class Keys {
public:
    explicit Keys(const Context& context) : context_{context} {}

    [[nodiscard]] Answer list() const;
    /// `{purpose, certificate}`: the certificate of a signing key (attest/cose/key_certificate.hpp), DER in base64.
    [[nodiscard]] Answer add(const Json& body, const Principal& actor) const;
    [[nodiscard]] Answer revoke(const std::string& key_id, const Principal& actor) const;

private:
    const Context& context_;
};

} // namespace casemate::verifier
