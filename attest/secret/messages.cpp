// SPDX-License-Identifier: Apache-2.0
// See messages.hpp.
#include "attest/secret/messages.hpp"

#include "hypervisor/base/cbor_reader.hpp"

#include <algorithm>

namespace casemate::secret {
namespace {

constexpr std::uint64_t version = 1;
constexpr std::size_t max_public = 128, max_duplicate = 320;

template <std::size_t size>
void read_fixed(CborReader& in, std::array<std::uint8_t, size>& field) {
    const ByteView bytes = in.bytes_exactly(size);
    std::copy(bytes.begin(), bytes.end(), field.begin());
}

void expect_version(CborReader& in) {
    in.expect_key(0);
    if (in.u64() != version) in.fail();
}

std::string_view read_name(CborReader& in, std::int64_t key) {
    in.expect_key(key);
    const std::string_view name = in.text(max_name);
    if (name.empty()) in.fail();
    return name;
}

Result<SealedSecret, MessageError> read_secret(ByteView payload) {
    CborReader in{payload};
    SealedSecret secret;
    in.expect_map(8);
    expect_version(in);
    secret.name = read_name(in, 1);
    secret.vm = read_name(in, 2);
    in.expect_key(3), secret.parent = static_cast<std::uint32_t>(in.u64_at_most(UINT32_MAX));
    in.expect_key(4), secret.modulus = in.bytes_exactly(measure::rsa2048_size);
    in.expect_key(5), secret.object_public = in.bytes(max_public);
    in.expect_key(6), secret.duplicate = in.bytes(max_duplicate);
    in.expect_key(7), secret.seed = in.bytes_exactly(measure::rsa2048_size);
    if (!in.finished()) return Failure{MessageError::shape};
    return secret;
}

} // namespace

Result<SealedSecret, MessageError> open_secret(ByteView message, const measure::P256PublicKey& owner) {
    if (message.size() > max_message) return Failure{MessageError::too_large};
    const auto envelope = cose::read_sign1(message);
    if (!envelope.ok()) return Failure{MessageError::shape};
    if (!equal(envelope.value().protected_header, secret_header)) return Failure{MessageError::header};
    if (!cose::verify(envelope.value(), owner)) return Failure{MessageError::signature};
    return read_secret(envelope.value().payload);
}

Result<Approval, MessageError> read_approval(ByteView message) {
    if (message.size() > max_message) return Failure{MessageError::too_large};
    CborReader in{message};
    Approval approval;
    in.expect_map(6);
    expect_version(in);
    approval.vm = read_name(in, 1);
    in.expect_key(2), approval.nv_index = static_cast<std::uint32_t>(in.u64_at_most(UINT32_MAX));
    in.expect_key(3), approval.last_epoch = in.u64();
    in.expect_key(4), read_fixed(in, approval.approved_policy);
    in.expect_key(5), read_fixed(in, approval.signature);
    if (!in.finished()) return Failure{MessageError::shape};
    return approval;
}

ByteView encode_secret(const SealedSecret& secret, ByteSpan buffer) {
    CborWriter out{buffer};
    out.map(8);
    out.key(0).u64(version);
    out.key(1).text(secret.name);
    out.key(2).text(secret.vm);
    out.key(3).u64(secret.parent);
    out.key(4).bytes(secret.modulus);
    out.key(5).bytes(secret.object_public);
    out.key(6).bytes(secret.duplicate);
    out.key(7).bytes(secret.seed);
    return out.ok() ? out.written() : ByteView{};
}

ByteView encode_approval(const Approval& approval, ByteSpan buffer) {
    CborWriter out{buffer};
    out.map(6);
    out.key(0).u64(version);
    out.key(1).text(approval.vm);
    out.key(2).u64(approval.nv_index);
    out.key(3).u64(approval.last_epoch);
    out.key(4).bytes(approval.approved_policy);
    out.key(5).bytes(approval.signature);
    return out.ok() ? out.written() : ByteView{};
}

} // namespace casemate::secret
