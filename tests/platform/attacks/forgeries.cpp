// SPDX-License-Identifier: Apache-2.0
// See forgeries.hpp.
#include "tests/platform/attacks/forgeries.hpp"

#include "attest/grant/grant_sign.hpp"
#include "attest/relay/encoding.hpp"
#include "dlaunch/measure/custody_types.hpp"

namespace casemate::platform_test {

namespace {

using grant::Claims;
using grant::GrantError;
using Change = std::function<void(Claims&)>;

constexpr std::size_t flipped_bits = 96;
constexpr std::uint64_t one_minute = 60'000; // ms

struct WrongClaim {
    const char* name;
    GrantError expected;
    Change change;
};

Bytes encoded(const Claims& claims) {
    std::array<std::uint8_t, grant::max_message> buffer{};
    const ByteView bytes = grant::encode_claims(claims, buffer);
    return {bytes.begin(), bytes.end()};
}

Claims changed(Claims claims, const Change& change) {
    change(claims);
    return claims;
}

Change with_new_id(Change change = {}) {
    return [change = std::move(change)](Claims& c) {
        c.id[0] ^= 0xff;
        if (change) change(c);
    };
}

} // namespace

Claims Forger::claims_of(const Bytes& message) const {
    const auto verified = grant::verify(message, measure::P256PublicKey::create(key_.public_key()).value());
    return verified.ok() ? verified.value().claims() : Claims{};
}

Bytes Forger::sign(const Claims& claims) const { return grant::sign(claims, key_).value(); }

Bytes Forger::sign_payload(ByteView header, const Bytes& payload) const { return key_.sign_message(header, payload).value(); }

void Forger::add_wrong_claims(std::vector<Forgery>& all, const Claims& good, const Claims& other) const {
    const WrongClaim wrong[] = {
        {"for another launch", GrantError::launch, [](Claims& c) { c.launch_id[7] ^= 1; }},
        {"for a device that is not in the policy", GrantError::device, [](Claims& c) { c.device.device = 9; }},
        {"for the other driver VM", GrantError::vm_id, [&](Claims& c) { c.vm_id = other.vm_id; }},
        {"for the other VM's device", GrantError::vm_id, [&](Claims& c) { c.device = other.device; }},
        {"for an unknown VM", GrantError::vm_id, [](Claims& c) { c.vm_id[0] ^= 1; }},
        {"of another policy epoch", GrantError::epoch, [](Claims& c) { ++c.epoch; }},
        {"with a gate nonce that never was", GrantError::stale_gate_nonce, [](Claims& c) { c.gate_nonce[31] ^= 1; }},
        {"with the gate nonce of the other device", GrantError::stale_gate_nonce, [&](Claims& c) { c.gate_nonce = other.gate_nonce; }},
        {"with fewer rights than can be honoured", GrantError::rights, [](Claims& c) { c.rights = 1; }},
        {"with more rights than there are", GrantError::rights, [](Claims& c) { c.rights = 15; }},
        {"with a lease beyond the policy's longest", GrantError::lease, [](Claims& c) { c.lease = grant::max_lease_seconds; }},
        {"without a lease", GrantError::lease, [](Claims& c) { c.lease = 0; }},
        {"on evidence older than the lease", GrantError::evidence_age,
         [](Claims& c) { c.lease = 1, c.evidence_clock -= std::min<std::uint64_t>(c.evidence_clock, 5000); }},
        {"on evidence of a time to come", GrantError::evidence_age, [](Claims& c) { c.evidence_clock += 60 * one_minute; }},
        {"as a renewal of nothing", GrantError::not_assigned, [](Claims& c) { c.type = grant::Type::renewal; }},
        {"as a revocation of nothing", GrantError::not_assigned, [](Claims& c) { c.type = grant::Type::revocation; }},
        {"as a bootstrap grant that no TPM has opened", GrantError::not_opened, [](Claims& c) { c.type = grant::Type::bootstrap; }},
        {"of a type that there is not", GrantError::type, [](Claims& c) { c.type = static_cast<grant::Type>(5); }},
    };
    for (const WrongClaim& each : wrong) all.push_back({each.name, sign(changed(good, each.change)), each.expected});
}

void Forger::add_wrong_encodings(std::vector<Forgery>& all, const Bytes& message, const Claims& good) const {
    all.push_back({"by another key", grant::sign(good, stranger_).value(), GrantError::signature});
    Bytes longer_head = encoded(good); // the map's head as b8 0b for ab
    longer_head[0] = 0x0b;
    longer_head.insert(longer_head.begin(), 0xb8);
    all.push_back({"with a head that is longer than needed", sign_payload(grant::protected_header, longer_head), GrantError::shape});
    Bytes indefinite = encoded(good);
    indefinite.front() = 0xbf;
    indefinite.push_back(0xff);
    all.push_back({"as a map of indefinite length", sign_payload(grant::protected_header, indefinite), GrantError::shape});
    const std::array<std::uint8_t, 4> es384{0xa1, 0x01, 0x38, 0x22};
    all.push_back({"under another algorithm", sign_payload(es384, encoded(good)), GrantError::algorithm});
    all.push_back({"cut short", Bytes{message.begin(), message.end() - 1}, GrantError::shape});
    Bytes appended = message;
    appended.push_back(0);
    all.push_back({"with a byte more", std::move(appended), GrantError::shape});
}

/// The host's build of the same library says what each must meet: none is accepted.
void Forger::add_flipped_bits(std::vector<Forgery>& all, const Bytes& message) const {
    const auto key = measure::P256PublicKey::create(key_.public_key());
    for (std::size_t i = 0; i < flipped_bits; ++i) {
        const std::size_t byte = i * message.size() / flipped_bits;
        Bytes flipped = message;
        flipped[byte] ^= static_cast<std::uint8_t>(1 << i % 8);
        const auto verified = grant::verify(flipped, key.value());
        const GrantError expected = verified.ok() ? GrantError::none : verified.error();
        all.push_back({"with bit " + std::to_string(i % 8) + " of byte " + std::to_string(byte) + " flipped", std::move(flipped), expected});
    }
}

std::vector<Forgery> Forger::before_hand_over(const std::vector<Bytes>& honest) const {
    std::vector<Forgery> all;
    if (honest.size() != 2) return all;
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}})
        add_wrong_claims(all, claims_of(honest[i]), claims_of(honest[1 - i]));
    add_wrong_encodings(all, honest[0], claims_of(honest[0]));
    add_flipped_bits(all, honest[0]);
    return all;
}

std::vector<Forgery> Forger::hand_over(const std::vector<Bytes>& honest) const {
    std::vector<Forgery> all;
    if (honest.size() != 2) return all;
    for (const Bytes& message : honest) {
        const Claims good = claims_of(message);
        all.push_back({"honest", message, GrantError::none});
        all.push_back({"a second time", message, GrantError::used_before});
        all.push_back({"for a gate that is closed", sign(changed(good, with_new_id())), GrantError::no_such_gate});
        all.push_back({"as a revocation of another grant", sign(changed(good, with_new_id([](Claims& c) { c.type = grant::Type::revocation; }))),
                       GrantError::not_assigned});
        all.push_back({"as a revocation with another gate nonce",
                       sign(changed(good, [](Claims& c) { c.type = grant::Type::revocation, c.gate_nonce[0] ^= 1; })),
                       GrantError::stale_gate_nonce});
        if (good.device.device != 3) continue; // the NIC has no reset to wait for: it is assigned already
        all.push_back({"as a renewal on the same evidence", sign(changed(good, [](Claims& c) { c.type = grant::Type::renewal; })),
                       GrantError::evidence_order});
        all.push_back({"as a renewal on evidence of a time to come",
                       sign(changed(good, [](Claims& c) { c.type = grant::Type::renewal, c.evidence_clock += 60 * one_minute; })),
                       GrantError::evidence_age});
    }
    return all;
}

std::vector<Forgery> Forger::revocation_of(const std::vector<Bytes>& honest, std::uint8_t device) const {
    std::vector<Forgery> all;
    for (const Bytes& message : honest) {
        const Claims claims = claims_of(message);
        if (claims.device.device == device)
            all.push_back({"revoked", sign(changed(claims, [](Claims& c) { c.type = grant::Type::revocation; })), GrantError::none});
    }
    return all;
}

std::vector<Forgery> Forger::with_nonce_of(const Bytes& earlier_grant, const std::vector<Bytes>& honest) const {
    const Claims earlier = claims_of(earlier_grant);
    std::vector<Forgery> all;
    for (const Bytes& message : honest) {
        const Claims good = claims_of(message);
        if (good.type != grant::Type::grant || !(good.device == earlier.device)) continue;
        all.push_back({"with the gate nonce that the same device had before",
                       sign(changed(good, with_new_id([&](Claims& c) { c.gate_nonce = earlier.gate_nonce; }))), GrantError::stale_gate_nonce});
        all.push_back({"honest", message, GrantError::none});
    }
    return all;
}

std::vector<Forgery> Forger::for_gates(const Json& evidence, GrantError expected) const {
    std::vector<Forgery> all;
    for (const Json& text : evidence.value("gates", Json::array())) {
        const Bytes gate = relay::from_base64(text.get<std::string>()).value_or(Bytes{});
        const auto request = measure::parse_gate_request(gate);
        if (!request) continue;
        Claims claims;
        claims.launch_id = request->launch_id;
        claims.gate_nonce = request->gate_nonce;
        claims.vm_id = request->vm_id;
        claims.device = request->device.address;
        claims.rights = 7;
        claims.lease = 30;
        claims.epoch = 1;
        all.push_back({"for an open gate", sign(claims), expected});
    }
    return all;
}

} // namespace casemate::platform_test
