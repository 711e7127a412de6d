// SPDX-License-Identifier: Apache-2.0
// Bootstrap grants: the verifier's word for launches to come, for a platform whose only road to it is a device that it must grant first
// (docs/adr/0029). Signed when an owner asks for one; the owner of the platform seals it to that platform's TPM. What the verifier thinks of
// one that was used it says with the next evidence (grants.hpp). The router has checked the caller's role.
// Invariant: no signature without its row in the store and in the audit trail; none for a platform out of service.
#pragma once

#include "attest/verifier/grants.hpp"
#include "attest/verifier/reference_set.hpp"

namespace casemate::verifier {

class Bootstrap {
public:
    Bootstrap(const Context& context, const ReferenceLibrary& references, const Grants& grants)
        : context_{context}, references_{references}, grants_{grants} {}

    /// `{reference, device, vm, lease_seconds?}`: for the launch that the set describes. The platform may not have enrolled yet.
    [[nodiscard]] Answer issue(const std::string& platform_id, const Json& body, const Principal& actor) const;
    [[nodiscard]] Answer list(const std::string& platform_id) const;
    /// It is confirmed no more. What it has given ends with its lease, or at the platform's next evidence.
    [[nodiscard]] Answer withdraw(const std::string& grant_id, const Principal& actor) const;

private:
    [[nodiscard]] Status<ApiError> check_standing(const std::string& platform_id) const;

    const Context& context_;
    const ReferenceLibrary& references_;
    const Grants& grants_;
};

} // namespace casemate::verifier
