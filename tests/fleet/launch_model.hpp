// SPDX-License-Identifier: Apache-2.0
// What the fleet's platforms launch: one SLB, hypervisor and signed policy (an agent and a driver VM with two devices), and the
// log and PCRs of one platform at a time. The log has the hypervisor's real ledger, made by the same encoders.
#pragma once

#include "attest/evidence/evidence_bundle.hpp"
#include "attest/grant/grant.hpp"
#include "tests/unit/verifier_fixture.hpp"

namespace casemate::fleet {

using verifier::Bytes;
using verifier::Json;

/// A grant that the hypervisor accepted.
struct HeldGrant {
    grant::Claims claims;
    measure::Sha256Digest digest{}; // of the COSE message
};

/// One platform after its launch: what its TPM holds and what its agent knows.
struct LaunchState {
    measure::LaunchId launch_id{};
    Bytes log;
    measure::LaunchPcrs pcrs;
    std::vector<Bytes> gates; // open
    std::vector<attest::LeaseReport> leases;
};

class LaunchModel {
public:
    /// A new policy, signed by `owner`, which names the verifier's grant key.
    LaunchModel(const cose::Signer& owner, const cose::Signer& grant_key) : platform_{owner, grant_key} {}
    /// What an earlier one's reference() describes.
    LaunchModel(const Json& reference, const cose::Signer& grant_key);

    /// reference.json of this launch (docs/interfaces/policy.md).
    [[nodiscard]] Json reference() const { return test::TestVerifier::reference(platform_); }
    /// Active, and quoted. The log has sha1 beside them, if not told otherwise.
    [[nodiscard]] static measure::Banks banks();
    /// The banks of logs from now on; gives those until now.
    [[nodiscard]] measure::Banks log_in(const measure::Banks& banks) { return std::exchange(platform_.builder.log_banks, banks); }
    /// From now on it launches a hypervisor that its reference() does not accept.
    void change_hypervisor() { platform_.builder.hypervisor.push_back(0); }
    /// What SKINIT measures.
    [[nodiscard]] const Bytes& slb() const { return platform_.builder.slb; }

    /// Launched: a gate for each device is open, no driver VM runs.
    [[nodiscard]] LaunchState launched(const measure::LaunchId& id);
    /// Later: the grants were accepted, the driver VM runs and was restarted so often (each time 1 kB of log).
    [[nodiscard]] LaunchState running(const measure::LaunchId& id, const std::vector<HeldGrant>& grants, std::uint32_t restarts);

private:
    void begin(const measure::LaunchId& id);
    void accept(const HeldGrant& grant);
    void assign(const grant::Claims& grant);
    [[nodiscard]] LaunchState state() const;

    test::Platform platform_;
};

} // namespace casemate::fleet
