// SPDX-License-Identifier: Apache-2.0
// See seal.hpp.
#include "attest/secret/seal.hpp"

#include "dlaunch/measure/openssl_releaser.hpp"

#include <algorithm>
#include <memory>
#include <openssl/evp.h>
#include <openssl/rand.h>

namespace casemate::secret {
namespace {

constexpr std::uint16_t alg_keyedhash = 0x0008; // [TPM2-P2 T9]
constexpr std::string_view duplicate_label{"DUPLICATE\0", 10}; // with its zero [TPM2-P1 B.10.3]
constexpr std::size_t seed_size = 32, aes_key_size = 16;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, Releaser<EVP_CIPHER_CTX_free>>;

/// Wiped when it goes.
template <std::size_t size>
struct Secret : std::array<std::uint8_t, size> {
    ~Secret() { measure::wipe(*this); }
};

bool fill_random(ByteSpan out) { return RAND_priv_bytes(out.data(), static_cast<int>(out.size())) == 1; }

bool is_name(std::string_view name) {
    const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'; };
    return !name.empty() && name.size() <= max_name && std::all_of(name.begin(), name.end(), fits);
}

/// TPM2B_SENSITIVE: no password, `obfuscation`, the secret [TPM2-P2 12.3.2].
Bytes sensitive_area(ByteView secret, ByteView obfuscation) {
    Bytes area(2 + 2 + 2 + 2 + obfuscation.size() + 2 + secret.size());
    BigEndianWriter out{area};
    out.u16(static_cast<std::uint16_t>(area.size() - 2));
    out.u16(alg_keyedhash);
    out.u16(0); // authValue
    for (const ByteView part : {obfuscation, secret}) {
        out.u16(static_cast<std::uint16_t>(part.size()));
        out.bytes(part);
    }
    return area;
}

/// AES-128-CFB with an IV of zeros, in place [TPM2-P1 22.4].
bool encrypt(ByteView key, ByteSpan bytes) {
    const Cipher context{EVP_CIPHER_CTX_new()};
    constexpr std::array<std::uint8_t, 16> zeros{};
    int size = 0;
    return context && EVP_EncryptInit_ex(context.get(), EVP_aes_128_cfb128(), nullptr, key.data(), zeros.data()) == 1 &&
           EVP_EncryptUpdate(context.get(), bytes.data(), &size, bytes.data(), static_cast<int>(bytes.size())) == 1 &&
           size == static_cast<int>(bytes.size());
}

/// The outer wrapper [TPM2-P1 22.4, 23.3.2.3]: HMAC, then what it covers, encrypted under a key from `seed`.
Result<Bytes, SealError> wrap(ByteView seed, const measure::TpmName& name, Bytes sensitive) {
    Secret<aes_key_size> key;
    Secret<32> hmac_key;
    measure::kdf_a(seed, "STORAGE", name, {}, key);
    measure::kdf_a(seed, "INTEGRITY", {}, {}, hmac_key);
    const bool encrypted = encrypt(key, sensitive);
    if (!encrypted) measure::wipe(sensitive);
    if (!encrypted) return Failure{SealError::library};
    Bytes covered = sensitive;
    covered.insert(covered.end(), name.begin(), name.end());
    const Digest code = measure::hmac_sha256(hmac_key, covered);
    Bytes duplicate{0, static_cast<std::uint8_t>(code.size())};
    duplicate.insert(duplicate.end(), code.begin(), code.end());
    duplicate.insert(duplicate.end(), sensitive.begin(), sensitive.end());
    return duplicate;
}

Digest unique_of(ByteView obfuscation, ByteView secret) {
    measure::Hasher hasher{measure::TPM_ALG_ID::SHA256};
    hasher.update(obfuscation);
    hasher.update(secret);
    Digest unique;
    std::copy_n(hasher.finish().storage.begin(), unique.size(), unique.begin());
    return unique;
}

} // namespace

const char* describe(SealError error) {
    switch (error) {
    case SealError::none: return "no error";
    case SealError::too_long: return "a secret has at most 128 bytes: seal a key, and encrypt the rest with it";
    case SealError::empty: return "the secret is empty";
    case SealError::name: return "a name has 1 to 31 characters of a-z, 0-9, '-', '_' and '.'";
    case SealError::modulus: return "the endorsement key is not RSA with 2048 bits";
    case SealError::library: return "the cryptographic library failed";
    }
    return "unknown error";
}

Result<Bytes, SealError> seal(const Destination& destination, ByteView secret, const cose::Signer& owner) {
    if (secret.empty()) return Failure{SealError::empty};
    if (secret.size() > max_secret) return Failure{SealError::too_long};
    if (!is_name(destination.name) || !is_name(destination.vm)) return Failure{SealError::name};
    if (destination.modulus.size() != measure::rsa2048_size) return Failure{SealError::modulus};
    Secret<32> obfuscation;
    Secret<seed_size> seed;
    std::array<std::uint8_t, 32> padding;
    if (!fill_random(obfuscation) || !fill_random(seed) || !fill_random(padding)) return Failure{SealError::library};
    const TpmArea object =
        sealed_object(expected_auth_policy(owner.public_key(), destination.vm), unique_of(obfuscation, secret));
    const Bytes duplicate = TRY(wrap(seed, object.name(), sensitive_area(secret, obfuscation)));
    measure::Rsa2048Block encrypted_seed;
    const ByteView label{reinterpret_cast<const std::uint8_t*>(duplicate_label.data()), duplicate_label.size()};
    if (!measure::rsa_oaep_encrypt(destination.modulus, label, seed, padding, encrypted_seed)) return Failure{SealError::modulus};
    std::array<std::uint8_t, max_message> buffer;
    const ByteView payload = encode_secret({destination.name, destination.vm, destination.parent, destination.modulus, object.view(),
                                            duplicate, encrypted_seed},
                                           buffer);
    const auto message = owner.sign_message(secret_header, payload);
    if (payload.empty() || !message.ok()) return Failure{SealError::library};
    return message.value();
}

Result<Bytes, SealError> approve(std::string_view vm, const Circumstances& circumstances, const cose::Signer& owner) {
    if (!is_name(vm)) return Failure{SealError::name};
    Approval approval{.vm = vm, .nv_index = circumstances.nv_index, .last_epoch = circumstances.last_epoch,
                      .approved_policy = expected_policy(circumstances), .signature = {}};
    const auto signature = owner.sign(approval.approved_policy, PolicyReference{vm}.view());
    if (!signature.ok()) return Failure{SealError::library};
    approval.signature = signature.value();
    std::array<std::uint8_t, max_message> buffer;
    const ByteView encoded = encode_approval(approval, buffer);
    return Bytes{encoded.begin(), encoded.end()};
}

} // namespace casemate::secret
