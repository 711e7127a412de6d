// SPDX-License-Identifier: Apache-2.0
// The operator's calls: what the verifier knows, revocation and release, rebinding, reference sets.
// The router has checked the caller's role before any of these runs. No answer holds a token, secret or nonce.
#pragma once

#include "attest/verifier/grants.hpp"
#include "attest/verifier/reference_set.hpp"

namespace casemate::verifier {

class Operator {
public:
    Operator(const Context& context, ReferenceLibrary& references, const Grants& grants)
        : context_{context}, references_{references}, grants_{grants} {}

    /// Who calls, and what time it is here.
    [[nodiscard]] Answer session(const Principal& caller) const;
    [[nodiscard]] Answer platforms() const;
    [[nodiscard]] Answer platform(const std::string& platform_id) const;
    [[nodiscard]] Answer grants() const;
    [[nodiscard]] Answer results() const;
    /// The platform's newest evidence as it was received, with what the verifier made of it.
    [[nodiscard]] Answer newest_evidence(const std::string& platform_id) const;
    [[nodiscard]] Answer audit() const;
    [[nodiscard]] Answer references() const;

    /// `actor` is the caller's name, for the audit trail.
    [[nodiscard]] Answer revoke(const std::string& grant_id, const Principal& actor) const;
    [[nodiscard]] Answer release(const std::string& grant_id, const Principal& actor) const;
    [[nodiscard]] Answer allow_rebinding(const std::string& platform_id, const Principal& actor) const;
    [[nodiscard]] Answer add_reference(const std::string& document, const Principal& actor) const;
    [[nodiscard]] Answer remove_reference(const std::string& id, const Principal& actor) const;

private:
    const Context& context_;
    ReferenceLibrary& references_;
    const Grants& grants_;
};

} // namespace casemate::verifier
