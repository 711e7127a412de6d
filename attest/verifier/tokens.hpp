// SPDX-License-Identifier: Apache-2.0
// Tokens of operators: made by an owner with a name, a role and an end; the text is told once and kept as SHA-256 only.
// Routes: GET and POST /v1/tokens, DELETE /v1/tokens/{token}. The router has checked that the caller is an owner.
#pragma once

#include "attest/verifier/context.hpp"
#include "attest/verifier/json.hpp"
#include "attest/verifier/principal.hpp"

namespace casemate::verifier {

class Tokens {
public:
    explicit Tokens(const Context& context) : context_{context} {}

    [[nodiscard]] Answer list() const;
    /// `{name, role, lifetime_seconds}`: a minute to a year.
    [[nodiscard]] Answer create(const Json& body, const Principal& actor) const;
    [[nodiscard]] Answer remove(const std::string& id, const Principal& actor) const;

private:
    const Context& context_;
};

} // namespace casemate::verifier
