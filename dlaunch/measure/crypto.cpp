// SPDX-License-Identifier: Apache-2.0
// The part of the façade that is the same with every library.
#include "dlaunch/measure/crypto.hpp"

namespace casemate::measure {

namespace {

/// Half of the order of P-256, rounded down [SEC2 2.4.2].
constexpr std::array<std::uint8_t, 32> half_order = {
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8};

} // namespace

Digest hash(TPM_ALG_ID algorithm, ByteView bytes) {
    Hasher hasher{algorithm};
    hasher.update(bytes);
    return hasher.finish();
}

Sha256Digest sha256(ByteView bytes) {
    const Digest digest = hash(TPM_ALG_ID::SHA256, bytes);
    Sha256Digest result;
    std::memcpy(result.data(), digest.storage.data(), result.size());
    return result;
}

DigestSet hash_all(const Banks& banks, ByteView bytes) {
    DigestSet digests;
    for (const TPM_ALG_ID bank : banks) digests.add(hash(bank, bytes));
    return digests;
}

bool signature_is_low_s(ByteView signature) {
    if (signature.size() != p256_signature_size) return false;
    const ByteView s = signature.subspan(32);
    bool zero = true;
    for (const std::uint8_t byte : s) zero = zero && byte == 0;
    return !zero && std::memcmp(s.data(), half_order.data(), half_order.size()) <= 0;
}

} // namespace casemate::measure
