// SPDX-License-Identifier: Apache-2.0
// Sealed secrets of platforms whose agents have no relay (docs/adr/0031): an owner stores what `casemate secret` keeps of a platform, and
// that platform's agent fetches it. Opaque here: sealed to the platform's TPM, so that neither service nor database can read or change one.
// Invariants: a platform gets its own and no other's; one out of service gets none. The router has checked the caller.
#pragma once

#include "attest/verifier/context.hpp"
#include "attest/verifier/json.hpp"

namespace casemate::verifier {

class PlatformSecrets {
public:
    explicit PlatformSecrets(const Context& context) : context_{context} {}

    /// `{secrets: [{vm, name, sealed, approvals}]}`, all or none, in place of those before. The trail gets their names.
    [[nodiscard]] Answer replace(const std::string& platform_id, const Json& body, const Principal& actor) const;
    /// For its agent, as the relay hands them out.
    [[nodiscard]] Answer hand_out(const store::Platform& caller) const;

private:
    const Context& context_;
};

} // namespace casemate::verifier
