// SPDX-License-Identifier: Apache-2.0
// Tagged COSE_Sign1 [RFC 9052 4.2] with an empty unprotected header and an ES256 signature: the envelope of grants
// and of the policy bundle. Reads the one canonical encoding only; says nothing about the signature until asked.
// Who calls it: attest/grant, policy/model. The host signs through signer.hpp.
#pragma once

#include "dlaunch/measure/crypto.hpp"
#include "hypervisor/base/bytes.hpp"
#include "hypervisor/base/cbor_writer.hpp"
#include "hypervisor/base/result.hpp"

#include <array>

namespace casemate::cose {

inline constexpr std::int64_t header_algorithm = 1; // COSE header parameter "alg" [RFC 9052 3.1]
inline constexpr std::int64_t es256 = -7;           // [RFC 9053 table 1]
inline constexpr std::size_t signature_size = measure::p256_signature_size; // r || s
inline constexpr std::size_t max_protected = 96;
inline constexpr std::size_t max_payload = 64 * 1024;
inline constexpr std::uint64_t tag_sign1 = 18; // [RFC 9052 2]
inline constexpr std::size_t max_body_protected = 416, max_signer_protected = 8; // of a COSE_Sign (sign.hpp)
inline constexpr std::size_t envelope_size = 16 + max_protected + signature_size; // most that is added to a payload

/// Views into the message that was read. UNTRUSTED until verified.
struct Sign1 {
    ByteView protected_header;
    ByteView payload;
    ByteView signature;
};

enum class CoseError : std::uint8_t { none, shape };

[[nodiscard]] Result<Sign1, CoseError> read_sign1(ByteView message);
void write_sign1(CborWriter& out, const Sign1& message);

/// What is signed: the Sig_structure [RFC 9052 4.4] is `prefix` followed by the payload itself. A signature of one kind is none of the other.
class SignedBytes {
public:
    /// Of a COSE_Sign1, or of one signer of a COSE_Sign, who has a header of his own. Headers have at most max_body_protected and
    /// max_signer_protected bytes.
    SignedBytes(ByteView protected_header, ByteView payload, ByteView signer_header = {});
    [[nodiscard]] ByteView prefix() const { return ByteView{prefix_}.first(prefix_size_); }
    [[nodiscard]] ByteView payload() const { return payload_; }

private:
    std::array<std::uint8_t, max_body_protected + 48> prefix_; // the rest of it is never read
    std::size_t prefix_size_ = 0;
    ByteView payload_;
};

/// True when `signature` over `bytes` is by `key` and its s lies in the lower half of the order, so that nobody can make a
/// second valid signature from it.
[[nodiscard]] bool verify(const SignedBytes& bytes, ByteView signature, const measure::P256PublicKey& key);
[[nodiscard]] bool verify(const Sign1& message, const measure::P256PublicKey& key);

} // namespace casemate::cose
