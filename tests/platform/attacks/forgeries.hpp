// SPDX-License-Identifier: Apache-2.0
// Grants, renewals and revocations that the hypervisor must refuse, each with the number of its refusal. The forger holds the
// development grant key: what is refused here would be refused from the verifier itself.
#pragma once

#include "attest/cose/signer.hpp"
#include "tests/platform/attacks/attacker.hpp"

namespace casemate::platform_test {

class Forger {
public:
    Forger(cose::Signer key, cose::Signer stranger) : key_{std::move(key)}, stranger_{std::move(stranger)} {}

    /// While both devices are in quarantine. `honest` are the verifier's grants of both; none of them is among the result.
    [[nodiscard]] std::vector<Forgery> before_hand_over(const std::vector<Bytes>& honest) const;
    /// The honest grants, and what must not work once they were accepted.
    [[nodiscard]] std::vector<Forgery> hand_over(const std::vector<Bytes>& honest) const;
    /// Revokes what the honest message for `device` (its number on bus 0) grants or renews.
    [[nodiscard]] std::vector<Forgery> revocation_of(const std::vector<Bytes>& honest, std::uint8_t device) const;
    /// The honest grant of the same device, with the gate nonce of `earlier_grant`; then as it is. Nothing while there is none.
    [[nodiscard]] std::vector<Forgery> with_nonce_of(const Bytes& earlier_grant, const std::vector<Bytes>& honest) const;
    /// A good grant for each gate of the evidence.
    [[nodiscard]] std::vector<Forgery> for_gates(const Json& evidence, grant::GrantError expected) const;

private:
    [[nodiscard]] grant::Claims claims_of(const Bytes& message) const;
    [[nodiscard]] Bytes sign(const grant::Claims& claims) const;
    [[nodiscard]] Bytes sign_payload(ByteView header, const Bytes& payload) const;
    void add_wrong_claims(std::vector<Forgery>& all, const grant::Claims& good, const grant::Claims& other) const;
    void add_wrong_encodings(std::vector<Forgery>& all, const Bytes& message, const grant::Claims& good) const;
    void add_flipped_bits(std::vector<Forgery>& all, const Bytes& message) const;

    cose::Signer key_;
    cose::Signer stranger_;
};

} // namespace casemate::platform_test
