// SPDX-License-Identifier: Apache-2.0
// See grants.hpp.
#include "attest/verifier/grants.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "attest/verifier/encoding.hpp"
#include "attest/verifier/log.hpp"

namespace casemate::verifier {

struct Grants::Round {
    const std::string& platform_id;
    const attest::EvidenceBundle& evidence;
    const attest::Appraisal& appraisal;
    std::vector<store::Grant> known; // of this platform
    std::vector<store::BootstrapGrant> bootstraps;
    std::set<std::string> given;     // devices that this answer grants
    Issued issued;

    [[nodiscard]] const store::Grant* of_gate(ByteView gate_nonce) const {
        for (const store::Grant& grant : known)
            if (equal(grant.gate_nonce, gate_nonce)) return &grant;
        return nullptr;
    }
    /// TPM time of the quote: an affirming appraisal has it.
    [[nodiscard]] std::uint64_t clock() const { return appraisal.clock->clock; }
    [[nodiscard]] bool held_back(const std::string& device, ByteView vm_id) const {
        return std::any_of(known.begin(), known.end(), [&](const store::Grant& grant) {
            return grant.held && grant.device == device && equal(grant.vm_id, vm_id);
        });
    }
};

namespace {

std::string component(const std::string& device, const attest::Appraisal& appraisal, std::size_t vm) {
    return "device " + device + ", vm " + std::string(appraisal.reference->policy->vms[vm].name.view());
}

grant::Keys parsed(const cose::PublicPoint& present, const std::optional<cose::PublicPoint>& previous) {
    Result<grant::Keys, measure::KeyError> keys = grant::Keys::create(present, previous.has_value(), previous.value_or(cose::PublicPoint{}));
    if (!keys) throw CryptoFailure("the grant key is no P-256 key");
    return std::move(keys).value();
}

/// Seconds. Who does not bring evidence as often as the policy wants it loses the device: the lease is as long as evidence every interval
/// needs, see Attestation::next_in().
std::uint64_t lease_of(const policy::Policy& policy, const policy::Device& device, std::uint64_t asked) {
    const std::uint64_t lease = std::min<std::uint64_t>(asked, device.max_lease);
    return policy.attestation_interval == 0 ? lease : std::min<std::uint64_t>(lease, policy.attestation_interval * 5ull / 2);
}

template <std::size_t size>
void copy(std::array<std::uint8_t, size>& to, ByteView from) {
    std::copy_n(from.begin(), std::min(size, from.size()), to.begin());
}

} // namespace

bool may_be_live(const store::Grant& grant, Millis now) {
    constexpr Millis margin = 60'000;
    return now < grant.renewed_at + grant.lease_seconds * 1000 + margin;
}

std::string name_of(const DeviceAddress& device) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%04x:%02x:%02x.%x", unsigned{device.segment}, unsigned{device.bus},
                  unsigned{device.device}, unsigned{device.function});
    return text.data();
}

void Issued::give(ByteView cose, std::int64_t lease_seconds) {
    grants.push_back(to_base64(cose));
    shortest_lease = shortest_lease == 0 ? lease_seconds : std::min(shortest_lease, lease_seconds);
}

void Issued::withhold(const char* code, const std::string& detail) {
    reasons.push_back({{"code", code}, {"detail", detail}});
}

Grants::Grants(const Context& context, const cose::Signer& signer, const std::optional<cose::PublicPoint>& previous)
    : context_{context}, signer_{signer}, verified_{parsed(signer.public_key(), previous)} {}

Issued Grants::answer(const std::string& platform_id, const attest::EvidenceBundle& evidence, const attest::Appraisal& appraisal,
                      std::vector<store::Grant> known) const {
    Round round{platform_id, evidence, appraisal, std::move(known), {}, {}, {}};
    round.issued.attestation_interval = appraisal.reference->policy->attestation_interval;
    for (const attest::LeaseResult& lease : appraisal.leases)
        if (!lease.refusal && appraisal.custody.device(lease.device).bootstrap) round.bootstraps = context_.store.bootstrap_grants_of(platform_id);
    // A gate that has its grant already comes first: the device must not go to another VM beside it.
    for (const bool granted_before : {true, false})
        for (const attest::GateResult& gate : appraisal.gates)
            if (!gate.refusal && (round.of_gate(gate.request.gate_nonce) != nullptr) == granted_before)
                answer_gate(round, gate);
    for (const attest::GateResult& gate : appraisal.gates)
        if (gate.refusal) round.issued.withhold(attest::name_of(*gate.refusal), "gate " + std::to_string(gate.index));
    for (const attest::LeaseResult& lease : appraisal.leases) answer_lease(round, lease);
    return std::move(round.issued);
}

void Grants::answer_gate(Round& round, const attest::GateResult& gate) const {
    const std::string device = name_of(gate.request.device.address);
    std::string what = component(device, round.appraisal, gate.vm);
    const attest::DeviceCustody& custody = round.appraisal.custody.device(gate.device);
    if (const char* why = unconfirmed(round, gate.device)) return round.issued.withhold(why, what);
    const store::Grant* earlier = round.of_gate(gate.request.gate_nonce);
    if (round.held_back(device, gate.request.vm_id) || (earlier != nullptr && earlier->revoked_at != 0))
        return round.issued.withhold("revoked", what);
    if (!round.given.insert(device).second) return round.issued.withhold("device_held", what);
    if (earlier != nullptr) return reissue(round, *earlier);
    const store::Grant grant = new_grant(round, gate);
    if (custody.bootstrap) what += ", confirms bootstrap grant " + to_hex(custody.grant_id);
    context_.store.add_grant(grant);
    context_.audit(round.platform_id, "grant", grant.id, "issued", what);
    log(LogLevel::info, "grant", {{"platform", round.platform_id}, {"grant", grant.id}, {"what", what},
                                  {"lease_seconds", grant.lease_seconds}});
    ++round.issued.signed_new;
    round.issued.give(grant.cose, grant.lease_seconds);
    round.known.push_back(grant);
}

const char* Grants::unconfirmed(const Round& round, std::size_t device) const {
    const attest::DeviceCustody& custody = round.appraisal.custody.device(device);
    if (!custody.bootstrap) return nullptr;
    for (const store::BootstrapGrant& grant : round.bootstraps) {
        if (grant.id != to_hex(custody.grant_id) || !equal(sha256(grant.cose), custody.grant_digest)) continue;
        return grant.withdrawn_at == 0 ? nullptr : "bootstrap_withdrawn";
    }
    return "bootstrap_unknown";
}

/// Its gate is answered by itself. What is not to be confirmed is taken back at once, not when its lease is over.
void Grants::answer_bootstrap(Round& round, const attest::LeaseResult& lease) const {
    const policy::Policy& policy = *round.appraisal.reference->policy;
    const attest::DeviceCustody& custody = round.appraisal.custody.device(lease.device);
    const measure::VmId& vm_id = round.appraisal.custody.vm(custody.holder).id;
    const std::string device = name_of(policy.devices[lease.device].address);
    const char* const why = unconfirmed(round, lease.device);
    if (why == nullptr && !round.held_back(device, vm_id)) return;
    const std::string id = to_hex(custody.grant_id);
    grant::Claims claims{.id = custody.grant_id, .type = grant::Type::revocation, .platform_id = {}, .launch_id = round.appraisal.launch_id,
                         .gate_nonce = custody.gate_nonce, .vm_id = vm_id, .device = policy.devices[lease.device].address,
                         .rights = policy.devices[lease.device].rights, .lease = custody.lease_seconds, .epoch = policy.epoch,
                         .evidence_clock = round.clock()};
    copy(claims.platform_id, *from_hex(round.platform_id));
    round.issued.grants.push_back(to_base64(sign(claims)));
    context_.audit(round.platform_id, "bootstrap", id, "revoked", why == nullptr ? "revoked" : why);
    round.issued.withhold(why == nullptr ? "revoked" : why, "bootstrap grant " + id);
}

/// The same grant on this evidence: its lease runs from there, and the gate takes it once in any case.
void Grants::reissue(Round& round, const store::Grant& earlier) const {
    grant::Claims claims = claims_of(earlier);
    claims.evidence_clock = round.clock();
    const Bytes cose = sign(claims);
    context_.store.set_reissue(earlier.id, cose, static_cast<std::int64_t>(claims.evidence_clock), context_.now());
    context_.audit(round.platform_id, "reissue", earlier.id, "done", "evidence clock " + std::to_string(claims.evidence_clock));
    ++round.issued.signed_again;
    round.issued.give(cose, earlier.lease_seconds);
}

store::Grant Grants::new_grant(const Round& round, const attest::GateResult& gate) const {
    const policy::Policy& policy = *round.appraisal.reference->policy;
    const policy::Device& device = policy.devices[gate.device];
    grant::Claims claims;
    copy(claims.id, random_bytes(claims.id.size()));
    copy(claims.platform_id, *from_hex(round.platform_id));
    claims.launch_id = round.appraisal.launch_id;
    claims.gate_nonce = gate.request.gate_nonce;
    claims.vm_id = gate.request.vm_id;
    claims.device = gate.request.device.address;
    claims.rights = device.rights;
    claims.lease = lease_of(policy, device, static_cast<std::uint64_t>(context_.settings.lease_seconds));
    claims.epoch = policy.epoch;
    claims.evidence_clock = round.clock();
    store::Grant row;
    row.id = to_hex(claims.id);
    row.platform_id = round.platform_id;
    row.launch_id = to_bytes(claims.launch_id);
    row.gate_nonce = to_bytes(claims.gate_nonce);
    row.vm_id = to_bytes(claims.vm_id);
    row.device = name_of(claims.device);
    row.rights = static_cast<std::int64_t>(claims.rights);
    row.lease_seconds = static_cast<std::int64_t>(claims.lease);
    row.epoch = static_cast<std::int64_t>(claims.epoch);
    row.evidence_clock = static_cast<std::int64_t>(claims.evidence_clock);
    row.issued_at = row.renewed_at = context_.now();
    row.cose = sign(claims);
    return row;
}

void Grants::answer_lease(Round& round, const attest::LeaseResult& lease) const {
    const attest::LeaseReport& report = round.evidence.leases[lease.index];
    const std::string id = to_hex(report.grant_id);
    if (lease.refusal) return round.issued.withhold(attest::name_of(*lease.refusal), "lease of grant " + id);
    if (round.appraisal.custody.device(lease.device).bootstrap) return answer_bootstrap(round, lease);
    const auto known = std::find_if(round.known.begin(), round.known.end(), [&](const store::Grant& grant) {
        return grant.id == id && equal(grant.launch_id, round.appraisal.launch_id);
    });
    if (known == round.known.end()) return round.issued.withhold("lease_unknown", "grant " + id);
    if (known->revoked_at != 0) return round.issued.withhold("revoked", "grant " + id);
    grant::Claims claims = claims_of(*known);
    claims.type = grant::Type::renewal;
    claims.evidence_clock = round.clock();
    context_.store.set_renewal(id, static_cast<std::int64_t>(claims.evidence_clock), context_.now());
    context_.audit(round.platform_id, "renew", id, "done", "evidence clock " + std::to_string(claims.evidence_clock));
    ++round.issued.renewals;
    round.issued.give(sign(claims), known->lease_seconds);
}

Result<Bytes, ApiError> Grants::revoke(const std::string& grant_id, const Principal& actor) const {
    const std::optional<store::Grant> grant = context_.store.grant(grant_id);
    if (!grant) return refuse(404, "grant_unknown", "no such grant");
    const auto unit = context_.store.begin();
    context_.store.hold_platform(grant->platform_id); // no renewal on the way while this is decided
    Bytes revocation = TRY(revoke_held(*grant, actor));
    unit->commit();
    context_.metrics->grant("revoked");
    return revocation;
}

Result<Bytes, ApiError> Grants::revoke_held(const store::Grant& grant, const Principal& actor) const {
    grant::Claims claims = claims_of(grant);
    claims.type = grant::Type::revocation;
    Bytes revocation = sign(claims);
    if (!context_.store.revoke(grant.id, revocation, context_.now()))
        return refuse(409, "already_revoked", "this grant was revoked before");
    context_.audit(actor, "revoke", grant.id, "done", grant.device);
    log(LogLevel::warning, "revoked", {{"platform", grant.platform_id}, {"grant", grant.id}, {"device", grant.device}});
    return revocation;
}

std::size_t Grants::revoke_live(const std::string& platform_id, const Principal& actor) const {
    std::size_t count = 0;
    for (const store::Grant& grant : context_.store.grants_of(platform_id)) {
        if (grant.revoked_at != 0 || !may_be_live(grant, context_.now())) continue;
        if (!revoke_held(grant, actor)) continue;
        (void)context_.store.lift_hold(grant.id);
        ++count;
    }
    return count;
}

grant::Claims Grants::claims_of(const store::Grant& grant) const {
    const std::optional<grant::Claims> claims = verified_.claims(grant.cose);
    if (!claims) throw CryptoFailure("the stored grant " + grant.id + " is not under this verifier's key");
    return *claims;
}

Bytes Grants::sign(const grant::Claims& claims) const {
    auto message = grant::sign(claims, signer_);
    if (!message) {
        context_.metrics->signing_failed();
        throw SigningUnavailable(std::string("cannot sign a grant: ") + cose::describe(message.error()));
    }
    return std::move(message).value();
}

} // namespace casemate::verifier
