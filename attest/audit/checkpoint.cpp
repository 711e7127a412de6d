// SPDX-License-Identifier: Apache-2.0
// See checkpoint.hpp.
#include "attest/audit/checkpoint.hpp"

#include <algorithm>
#include <cstdint>

#include "hypervisor/base/cbor_reader.hpp"
#include "hypervisor/base/cbor_writer.hpp"
#include "hypervisor/base/check.hpp"

namespace casemate::audit {
namespace {

constexpr std::int64_t header_content_type = 3; // [RFC 9052 3.1]
enum Key : std::int64_t { key_sequence = 1, key_hash = 2, key_at = 3 };

using Buffer = std::array<std::uint8_t, max_checkpoint>;

ByteView protected_header(Buffer& buffer) {
    CborWriter out{buffer};
    out.map(2);
    out.key(cose::header_algorithm).integer(cose::es256);
    out.key(header_content_type).text(checkpoint_content_type);
    CHECK(out.ok());
    return out.written();
}

std::int64_t number(CborReader& in, Key key) {
    in.expect_key(key);
    return static_cast<std::int64_t>(in.u64_at_most(INT64_MAX));
}

} // namespace

Result<std::vector<std::uint8_t>, cose::SignError> sign(const Checkpoint& checkpoint, const cose::Signer& key) {
    CHECK(checkpoint.head.sequence > 0 && checkpoint.at >= 0);
    Buffer header_buffer, payload_buffer;
    CborWriter payload{payload_buffer};
    payload.map(3);
    payload.key(key_sequence).u64(static_cast<std::uint64_t>(checkpoint.head.sequence));
    payload.key(key_hash).bytes(checkpoint.head.hash);
    payload.key(key_at).u64(static_cast<std::uint64_t>(checkpoint.at));
    CHECK(payload.ok());
    return key.sign_message(protected_header(header_buffer), payload.written());
}

Result<Checkpoint, CheckpointError> verify(ByteView message, const measure::P256PublicKey& key) {
    const auto read = cose::read_sign1(message);
    Buffer header_buffer;
    if (!read || !equal(read.value().protected_header, protected_header(header_buffer)))
        return Failure{CheckpointError::malformed};
    if (!cose::verify(read.value(), key)) return Failure{CheckpointError::signature};
    CborReader in{read.value().payload};
    Checkpoint checkpoint;
    in.expect_map(3);
    checkpoint.head.sequence = number(in, key_sequence);
    in.expect_key(key_hash);
    const ByteView hash = in.bytes_exactly(checkpoint.head.hash.size());
    checkpoint.at = number(in, key_at);
    if (!in.finished() || checkpoint.head.sequence == 0) return Failure{CheckpointError::malformed};
    std::copy(hash.begin(), hash.end(), checkpoint.head.hash.begin());
    return checkpoint;
}

} // namespace casemate::audit
