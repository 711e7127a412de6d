// SPDX-License-Identifier: Apache-2.0
// See launch_model.hpp.
#include "tests/fleet/launch_model.hpp"

namespace casemate::fleet {
namespace {

using measure::LedgerKind;
constexpr std::size_t agent = 0, driver = 1; // VMs of test::sample_policy()

} // namespace

LaunchModel::LaunchModel(const Json& reference, const cose::Signer& grant_key) : platform_{test::new_signer(), grant_key} {
    test::EvidenceBuilder& builder = platform_.builder;
    const auto owner = verifier::from_hex(reference.at("owner_key").get<std::string>());
    const auto bundle = verifier::from_base64(reference.at("policy").at("bundle").get<std::string>());
    if (!owner || owner->size() != builder.owner_key.size() || !bundle) throw std::runtime_error("the fleet's reference.json is broken");
    std::copy(owner->begin(), owner->end(), builder.owner_key.begin());
    builder.bundle = *bundle;
    builder.reference_vms.clear();
    builder.accept_this_launch();
}

measure::Banks LaunchModel::banks() {
    measure::Banks banks;
    for (const auto bank : {measure::TPM_ALG_ID::SHA256, measure::TPM_ALG_ID::SHA384}) (void)banks.add(bank);
    return banks;
}

void LaunchModel::begin(const measure::LaunchId& id) {
    test::EvidenceBuilder& builder = platform_.builder;
    builder.launch_id = id;
    builder.nonces = 0;
    builder.gates.clear();
    builder.leases.clear();
    builder.launch();
    for (std::size_t device = 0; device < builder.policy.device_count; ++device) builder.open_gate(device, driver);
    builder.record({.kind = LedgerKind::vm_started, .vm_id = builder.vm_id(agent), .start_number = 1});
}

LaunchState LaunchModel::launched(const measure::LaunchId& id) {
    begin(id);
    return state();
}

void LaunchModel::accept(const HeldGrant& grant) {
    const grant::Claims& claims = grant.claims;
    platform_.builder.record({.kind = LedgerKind::grant_accepted, .vm_id = claims.vm_id, .device = claims.device,
                              .grant_id = claims.id, .lease_seconds = static_cast<std::uint32_t>(claims.lease),
                              .grant_digest = grant.digest});
    platform_.builder.leases.push_back({claims.id, claims.device, claims.vm_id, claims.gate_nonce, claims.lease * 1000});
}

/// At first, and again each time when its holder has ended.
void LaunchModel::assign(const grant::Claims& grant) {
    test::EvidenceBuilder& builder = platform_.builder;
    builder.record({.kind = LedgerKind::device_reset, .device = grant.device,
                    .reset_kind = measure::ResetKind::function_level, .worked = true});
    builder.record({.kind = LedgerKind::assigned, .vm_id = grant.vm_id, .device = grant.device, .grant_id = grant.id});
}

LaunchState LaunchModel::running(const measure::LaunchId& id, const std::vector<HeldGrant>& grants, std::uint32_t restarts) {
    test::EvidenceBuilder& builder = platform_.builder;
    begin(id);
    builder.gates.clear(); // answered
    for (const HeldGrant& grant : grants) accept(grant);
    for (std::uint32_t start = 1; start <= restarts + 1; ++start) {
        for (const HeldGrant& grant : grants) assign(grant.claims);
        builder.record({.kind = LedgerKind::vm_started, .vm_id = builder.vm_id(driver), .start_number = start});
        if (start <= restarts)
            builder.record({.kind = LedgerKind::vm_stopped, .vm_id = builder.vm_id(driver), .cause = measure::Cause::vm_crashed});
    }
    return state();
}

LaunchState LaunchModel::state() const {
    const test::EvidenceBuilder& builder = platform_.builder;
    return {builder.launch_id, builder.log(), builder.pcrs(builder.log_events), builder.gates, builder.leases};
}

} // namespace casemate::fleet
