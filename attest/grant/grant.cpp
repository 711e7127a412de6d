// SPDX-License-Identifier: Apache-2.0
// See grant.hpp. UNTRUSTED: every byte until the signature was verified; the claims after it are the verifier's word.
#include "attest/grant/grant.hpp"

#include "hypervisor/base/cbor_reader.hpp"
#include "hypervisor/base/cbor_writer.hpp"

namespace casemate::grant {
namespace {

// Claim keys; cti is CWT's [RFC 8392 4], the others are private [RFC 8392 9.1].
enum Key : std::int64_t {
    key_id = 7,
    key_type = -65537,
    key_platform = -65538,
    key_launch = -65539,
    key_gate_nonce = -65540,
    key_vm_id = -65541,
    key_device = -65542,
    key_rights = -65543,
    key_lease = -65544,
    key_epoch = -65545,
    key_evidence_clock = -65546,
};
constexpr std::size_t claim_count = 11;

template <std::size_t size>
void read_bytes(CborReader& in, Key key, std::array<std::uint8_t, size>& field) {
    in.expect_key(key);
    const ByteView bytes = in.bytes_exactly(size);
    for (std::size_t i = 0; i < bytes.size(); ++i) field[i] = bytes[i];
}

std::uint64_t read_number(CborReader& in, Key key) {
    in.expect_key(key);
    return in.u64();
}

void read_device(CborReader& in, DeviceAddress& device) {
    in.expect_key(key_device);
    in.expect_array(4);
    device.segment = static_cast<std::uint16_t>(in.u64_at_most(UINT16_MAX));
    device.bus = static_cast<std::uint8_t>(in.u64_at_most(UINT8_MAX));
    device.device = static_cast<std::uint8_t>(in.u64_at_most(31));
    device.function = static_cast<std::uint8_t>(in.u64_at_most(7));
}

Result<Claims, GrantError> read_claims(ByteView encoded) {
    CborReader in{encoded};
    Claims claims;
    in.expect_map(claim_count);
    read_bytes(in, key_id, claims.id);
    const std::uint64_t type = read_number(in, key_type);
    read_bytes(in, key_platform, claims.platform_id);
    read_bytes(in, key_launch, claims.launch_id);
    read_bytes(in, key_gate_nonce, claims.gate_nonce);
    read_bytes(in, key_vm_id, claims.vm_id);
    read_device(in, claims.device);
    claims.rights = read_number(in, key_rights);
    claims.lease = read_number(in, key_lease);
    claims.epoch = read_number(in, key_epoch);
    claims.evidence_clock = read_number(in, key_evidence_clock);
    if (!in.finished()) return Failure{GrantError::shape};
    if (type < 1 || type > 4) return Failure{GrantError::type};
    claims.type = static_cast<Type>(type);
    return claims;
}

/// The reader is strict already; this second, independent check makes sure of it.
bool is_canonical(ByteView message, const Claims& claims, ByteView signature) {
    std::uint8_t claims_buffer[max_message];
    std::uint8_t message_buffer[max_message];
    const ByteView encoded = encode_claims(claims, claims_buffer);
    return equal(encode_message(encoded, signature, message_buffer), message);
}

} // namespace

Result<Keys, measure::KeyError> Keys::create(ByteView present, bool has_next, ByteView next) {
    Keys keys{TRY(measure::P256PublicKey::create(present))};
    if (has_next) keys.next_ = TRY(measure::P256PublicKey::create(next));
    return keys;
}

bool Keys::verify(const cose::Sign1& message) const {
    return cose::verify(message, present_) || (next_ && cose::verify(message, *next_));
}

Result<VerifiedGrant, GrantError> verify(ByteView message, const Keys& keys) {
    if (message.size() > max_message) return Failure{GrantError::shape};
    const auto envelope = cose::read_sign1(message);
    if (!envelope.ok()) return Failure{GrantError::shape};
    if (!equal(envelope.value().protected_header, protected_header)) return Failure{GrantError::algorithm};
    const Claims claims = TRY(read_claims(envelope.value().payload));
    if (!is_canonical(message, claims, envelope.value().signature)) return Failure{GrantError::not_canonical};
    if (!keys.verify(envelope.value())) return Failure{GrantError::signature};
    return VerifiedGrant{claims};
}

ByteView encode_claims(const Claims& claims, ByteSpan buffer) {
    CborWriter out{buffer};
    out.map(claim_count);
    out.key(key_id), out.bytes(claims.id);
    out.key(key_type), out.u64(static_cast<std::uint64_t>(claims.type));
    out.key(key_platform), out.bytes(claims.platform_id);
    out.key(key_launch), out.bytes(claims.launch_id);
    out.key(key_gate_nonce), out.bytes(claims.gate_nonce);
    out.key(key_vm_id), out.bytes(claims.vm_id);
    out.key(key_device), out.array(4);
    out.u64(claims.device.segment), out.u64(claims.device.bus);
    out.u64(claims.device.device), out.u64(claims.device.function);
    out.key(key_rights), out.u64(claims.rights);
    out.key(key_lease), out.u64(claims.lease);
    out.key(key_epoch), out.u64(claims.epoch);
    out.key(key_evidence_clock), out.u64(claims.evidence_clock);
    return out.ok() ? out.written() : ByteView{};
}

ByteView encode_message(ByteView claims, ByteView signature, ByteSpan buffer) {
    CborWriter out{buffer};
    cose::write_sign1(out, {protected_header, claims, signature});
    return out.ok() ? out.written() : ByteView{};
}

} // namespace casemate::grant
