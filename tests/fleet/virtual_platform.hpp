// SPDX-License-Identifier: Apache-2.0
// One platform of the fleet: a software TPM, a launch, and what its agent has to remember. Bodies of requests go out of
// it and answers come in; who carries them is for others (player.hpp, load.hpp).
#pragma once

#include "tests/fleet/authority.hpp"
#include "tests/fleet/evidence.hpp"
#include "tests/fleet/software_tpm.hpp"

namespace casemate::fleet {

class VirtualPlatform {
public:
    VirtualPlatform(EkKind kind, const Authority& authority, LaunchModel& model);

    /// POST /v1/enrolments. The certificate and the keys may be others' for those who misbehave.
    [[nodiscard]] Json offer() const;
    /// The body of the activation that answers `begun`; nothing when the credential is not for this TPM.
    [[nodiscard]] std::optional<Json> activation(const Json& begun) const;
    void enrolled(const Json& activated);

    /// Good evidence for this challenge, part by part. The TPM's clock goes on by a second.
    [[nodiscard]] Evidence evidence(const Challenge& challenge);
    /// The same at once as a body, without copying the log.
    [[nodiscard]] std::string evidence_body(const Challenge& challenge);
    [[nodiscard]] QuoteFields quote_fields(const Challenge& challenge) const;

    /// Grants of an affirming answer: all must be for this launch and signed by `grant_key`. A grant is accepted by the
    /// hypervisor, which runs the driver VM from there on; a renewal is noted. False: one of them was neither.
    [[nodiscard]] bool take(const Json& answer, const measure::P256PublicKey& grant_key, std::uint32_t restarts = 0);
    /// The machine was launched anew.
    void relaunch();

    [[nodiscard]] const std::string& id() const { return id_; }
    [[nodiscard]] const std::string& token() const { return token_; }
    [[nodiscard]] const LaunchState& launch() const { return launch_; }
    [[nodiscard]] SoftwareTpm& tpm() { return tpm_; }
    [[nodiscard]] std::size_t renewals() const { return renewals_; }
    [[nodiscard]] std::size_t grants() const { return held_.size(); }
    attest::TPMS_CLOCK_INFO clock{100'000, 5, 2, true};

private:
    void arrive(LaunchState state);

    SoftwareTpm tpm_;
    Bytes certificate_;
    LaunchModel& model_;
    LaunchState launch_;
    std::string tail_; // of the evidence body
    std::vector<HeldGrant> held_;
    std::size_t renewals_ = 0;
    std::string id_;
    std::string token_;
};

} // namespace casemate::fleet
