// SPDX-License-Identifier: Apache-2.0
// See custody.hpp: which message of the verifier is accepted in which state. Every check comes before the first change.
#include "dlaunch/measure/crypto.hpp"
#include "hypervisor/custody/custody.hpp"

#include <utility>

namespace casemate::custody {

namespace {

using grant::Claims;
using grant::GrantError;

constexpr std::uint64_t ms_per_second = 1000;
constexpr std::uint64_t clock_slack = 2;             // the TPM's clock may be slow: half of each age is added
constexpr std::size_t entries_of_acceptance = 1 + 7; // grant_accepted and all that may follow it

bool is_bootstrap(const Claims& claims) { return claims.type == grant::Type::bootstrap; }

} // namespace

GrantError Custody::submit(ByteView message, std::uint64_t now_ms, Seal seal) {
    if (launch_.kind == launch::LaunchKind::unmeasured) return GrantError::launch_not_measured;
    tick(now_ms); // a lapsed lease cannot be renewed
    const auto verified = grant::verify(message, grant_keys_);
    if (!verified.ok()) return verified.error();
    const Claims& claims = verified.value().claims();
    if (is_bootstrap(claims) && seal != Seal::opened) return GrantError::not_opened;
    DeviceIndex device = 0;
    std::size_t slot = 0;
    const GrantError located = locate(claims, device, slot);
    if (located != GrantError::none) return located;
    const Request request{claims, device, slot, policy_.devices[device].holders[slot]};
    switch (claims.type) {
    case grant::Type::bootstrap:
    case grant::Type::grant: return accept(request, message, now_ms);
    case grant::Type::renewal: return renew(request, now_ms);
    case grant::Type::revocation: return revoke(request);
    }
    return GrantError::type;
}

/// Finds the device and the VM among its holders.
GrantError Custody::locate(const Claims& claims, DeviceIndex& device, std::size_t& slot) const {
    if (claims.launch_id != (is_bootstrap(claims) ? measure::LaunchId{} : launch_.id)) return GrantError::launch;
    device = 0;
    while (device < policy_.device_count && policy_.devices[device].address != claims.device) ++device;
    if (device == policy_.device_count) return GrantError::device;
    const policy::Device& listed = policy_.devices[device];
    slot = 0;
    while (slot < listed.holder_count && vms_[listed.holders[slot]].id != claims.vm_id) ++slot;
    if (slot == listed.holder_count) return GrantError::vm_id;
    return claims.epoch == policy_.epoch ? GrantError::none : GrantError::epoch;
}

/// What a grant and a renewal have in common.
GrantError Custody::check_terms(const Request& request) const {
    const policy::Device& listed = policy_.devices[request.device];
    const Claims& claims = request.claims;
    // The machine gives a device whole or not at all: fewer rights could not be honoured.
    if (claims.rights != policy::all_rights || listed.rights != policy::all_rights) return GrantError::rights;
    if (claims.lease == 0 || claims.lease > (is_bootstrap(claims) ? listed.bootstrap_lease : listed.max_lease)) return GrantError::lease;
    return ledger_lost_ ? GrantError::log_full : GrantError::none;
}

GrantError Custody::check_grant(const Request& request) const {
    const DeviceRecord& device = devices_[request.device];
    const Gate& gate = device.gates[request.slot];
    if (is_bootstrap(request.claims) && used_count_ != 0) return GrantError::bootstrap_late;
    if (used_before(request.claims.id)) return GrantError::used_before;
    if (!gate.open) return GrantError::no_such_gate;
    if ((is_bootstrap(request.claims) ? measure::GateNonce{} : gate.nonce) != request.claims.gate_nonce) return GrantError::stale_gate_nonce;
    if (device.tainted_by && *device.tainted_by != request.claims.vm_id) return GrantError::tainted;
    const GrantError terms = check_terms(request);
    if (terms != GrantError::none) return terms;
    return has_room(entries_of_acceptance) ? GrantError::none : GrantError::log_full;
}

/// The lease runs from the moment of the evidence, by the TPM's own clock: whoever keeps a message back only shortens it.
/// That of a bootstrap grant runs from now: there is no evidence yet.
/// Last of all checks, so that only a message that is good otherwise costs a TPM command; it changes the record last.
GrantError Custody::run_lease(const Claims& claims, std::uint64_t now_ms, DeviceRecord& device) {
    const std::optional<std::uint64_t> clock = actions_.tpm_clock(); // after now_ms: errs towards a shorter lease
    const std::uint64_t lease_ms = claims.lease * ms_per_second;
    const std::uint64_t evidence = clock && is_bootstrap(claims) ? *clock : claims.evidence_clock;
    if (!clock || evidence > *clock || *clock - evidence >= lease_ms) return GrantError::evidence_age;
    const std::uint64_t age = *clock - evidence + (*clock - evidence) / clock_slack;
    if (age >= lease_ms) return GrantError::evidence_age;
    device.evidence_clock = evidence;
    device.deadline = now_ms + lease_ms - age;
    return GrantError::none;
}

GrantError Custody::accept(const Request& request, ByteView message, std::uint64_t now_ms) {
    GrantError refusal = check_grant(request);
    if (refusal == GrantError::none) refusal = run_lease(request.claims, now_ms, devices_[request.device]);
    if (refusal != GrantError::none) return refusal;
    const Claims& claims = request.claims;
    if (!record({.kind = is_bootstrap(claims) ? LedgerKind::bootstrap_accepted : LedgerKind::grant_accepted,
                 .vm_id = claims.vm_id, .device = claims.device, .grant_id = claims.id,
                 .lease_seconds = static_cast<std::uint32_t>(claims.lease), .grant_digest = measure::sha256(message)}))
        return GrantError::log_full;
    used_[used_count_++ % used_.size()] = claims.id;
    DeviceRecord& device = devices_[request.device];
    const bool held = std::exchange(device.bootstrap, is_bootstrap(claims)); // the verifier's word for what is at its VM already
    device.holder = request.vm;
    device.grant_id = claims.id;
    device.gate_nonce = claims.gate_nonce;
    device.rights = static_cast<std::uint8_t>(claims.rights);
    for (Gate& gate : device.gates) gate.open = false;
    if (!held) reset(request.device);
    return GrantError::none;
}

GrantError Custody::renew(const Request& request, std::uint64_t now_ms) {
    DeviceRecord& device = devices_[request.device];
    const Claims& claims = request.claims;
    if (!device.granted() || device.bootstrap || device.grant_id != claims.id) return GrantError::not_assigned;
    if (device.holder != request.vm) return GrantError::vm_id;
    if (device.gate_nonce != claims.gate_nonce) return GrantError::stale_gate_nonce;
    if (claims.evidence_clock <= device.evidence_clock) return GrantError::evidence_order;
    if (claims.rights != device.rights) return GrantError::rights;
    const GrantError terms = check_terms(request);
    return terms != GrantError::none ? terms : run_lease(claims, now_ms, device);
}

GrantError Custody::revoke(const Request& request) {
    const DeviceRecord& device = devices_[request.device];
    if (!device.granted() || device.grant_id != request.claims.id) return GrantError::not_assigned;
    if (device.holder != request.vm) return GrantError::vm_id;
    if (device.gate_nonce != request.claims.gate_nonce) return GrantError::stale_gate_nonce;
    take_back(request.device, measure::Cause::revoked);
    return GrantError::none;
}

bool Custody::used_before(const measure::GrantId& id) const {
    const std::size_t count = used_count_ < used_.size() ? used_count_ : used_.size();
    for (std::size_t i = 0; i < count; ++i)
        if (used_[i] == id) return true;
    return false;
}

} // namespace casemate::custody
