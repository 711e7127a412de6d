// SPDX-License-Identifier: Apache-2.0
// What the owner hands to a platform (docs/interfaces/secret.md): a sealed secret, and approvals of the states in which it may be
// used. Both may travel by anybody: the TPM alone can open the one, and takes the other only with the owner's signature.
// A sealed secret is signed all the same: the key that the hypervisor's session with the TPM is salted to stands in it.
// Who calls it: the hypervisor reads, the owner's tool writes. Views point into the message.
#pragma once

#include "attest/cose/sign1.hpp"
#include "attest/secret/policy_digest.hpp"

namespace casemate::secret {

inline constexpr std::size_t max_secret = 128;        // bytes that a TPM seals [TPM2-P2 T79, MAX_SYM_DATA]
inline constexpr std::size_t max_message = 1536;      // of either kind
inline constexpr std::size_t max_name = 31;           // of a secret or a VM

/// UNTRUSTED until open_secret() has returned it.
struct SealedSecret {
    std::string_view name, vm;
    std::uint32_t parent = 0; // persistent handle of the endorsement key
    ByteView modulus;         // of that key: whose platform this is
    ByteView object_public;   // TPMT_PUBLIC
    ByteView duplicate;       // TPM2B_PRIVATE's content
    ByteView seed;            // TPM2B_ENCRYPTED_SECRET's content

    [[nodiscard]] Digest platform_id() const { return measure::sha256(endorsement_key(modulus).view()); }
};

/// The TPM checks what it says; `signature` is the owner's over approval_digest(), r || s.
struct Approval {
    std::string_view vm;
    std::uint32_t nv_index = 0;
    std::uint64_t last_epoch = 0;
    Digest approved_policy{};
    std::array<std::uint8_t, measure::p256_signature_size> signature{};
};

enum class MessageError : std::uint8_t { none = 0, too_large, shape, header, signature };

[[nodiscard]] Result<SealedSecret, MessageError> open_secret(ByteView message, const measure::P256PublicKey& owner);
[[nodiscard]] Result<Approval, MessageError> read_approval(ByteView message);

/// Empty when `out` is too small. What encode_secret() gives is the payload to sign under secret_header.
[[nodiscard]] ByteView encode_secret(const SealedSecret& secret, ByteSpan out);
[[nodiscard]] ByteView encode_approval(const Approval& approval, ByteSpan out);

/// {1: -7, 3: "casemate-secret"}: no other message of the owner's can be taken for one.
inline constexpr std::array<std::uint8_t, 20> secret_header{0xa2, 0x01, 0x26, 0x03, 0x6f, 'c', 'a', 's', 'e', 'm',
                                                            'a',  't',  'e',  '-',  's',  'e', 'c', 'r', 'e', 't'};

} // namespace casemate::secret
