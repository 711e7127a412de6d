// SPDX-License-Identifier: Apache-2.0
// See credential.hpp.
#include "attest/verifier/credential.hpp"

#include <openssl/core_names.h>

namespace casemate::verifier {
namespace {

constexpr unsigned digest_bits = 256;
constexpr unsigned cipher_bits = 128;

Bytes with_zero(std::string_view label) {
    return concatenate({as_bytes(label), ByteView{Bytes{0}}});
}

/// The seed that protects the credential, and its encryption to the EK.
struct Seed {
    Bytes value;
    Bytes encrypted;
};

Seed rsa_seed(const EndorsementKey& ek) {
    Seed seed{random_bytes(sha256_size), {}};
    seed.encrypted = tpm2b(rsa_oaep_encrypt(*ek.key, with_zero("IDENTITY"), seed.value));
    return seed;
}

/// The x coordinate that ECDH yields, always 32 bytes.
Bytes shared_x(EVP_PKEY& mine, EVP_PKEY& theirs) {
    const KeyContext context{EVP_PKEY_CTX_new(&mine, nullptr)};
    Bytes z(sha256_size);
    std::size_t size = z.size();
    require(context && EVP_PKEY_derive_init(context.get()) == 1 &&
                EVP_PKEY_derive_set_peer(context.get(), &theirs) == 1 &&
                EVP_PKEY_derive(context.get(), z.data(), &size) == 1 && size == z.size(), "ECDH");
    return z;
}

Seed ecc_seed(const EndorsementKey& ek) {
    const PublicKey ephemeral{EVP_EC_gen("P-256")};
    require(ephemeral != nullptr, "ephemeral key");
    Bytes point(65);
    std::size_t size = 0;
    require(EVP_PKEY_get_octet_string_param(ephemeral.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(),
                                            &size) == 1 && size == point.size() && point[0] == 4, "ephemeral point");
    const ByteView x = ByteView{point}.subspan(1, 32);
    const ByteView y = ByteView{point}.subspan(33, 32);
    const Bytes z = shared_x(*ephemeral, *ek.key);
    return {kdf_e(z, "IDENTITY", x, ek.x, digest_bits), tpm2b(concatenate({tpm2b(x), tpm2b(y)}))};
}

} // namespace

Bytes kdf_a(ByteView key, std::string_view label, ByteView context_u, ByteView context_v, unsigned bits) {
    const Bytes input = concatenate({big_endian(1, 4), with_zero(label), context_u, context_v, big_endian(bits, 4)});
    const Sha256 output = hmac_sha256(key, input);
    return to_bytes(ByteView{output}.first(bits / 8));
}

Bytes kdf_e(ByteView z, std::string_view label, ByteView party_u, ByteView party_v, unsigned bits) {
    const Sha256 output = sha256(concatenate({big_endian(1, 4), z, with_zero(label), party_u, party_v}));
    return to_bytes(ByteView{output}.first(bits / 8));
}

Credential make_credential(const EndorsementKey& ek, ByteView name, ByteView credential) {
    const Seed seed = ek.kind == EndorsementKey::Kind::rsa2048 ? rsa_seed(ek) : ecc_seed(ek);
    const Bytes cipher_key = kdf_a(seed.value, "STORAGE", name, {}, cipher_bits);
    const Bytes encrypted_identity = aes128_cfb_encrypt(cipher_key, tpm2b(credential));
    const Bytes hmac_key = kdf_a(seed.value, "INTEGRITY", {}, {}, digest_bits);
    const Sha256 integrity = hmac_sha256(hmac_key, concatenate({encrypted_identity, name}));
    return {tpm2b(concatenate({tpm2b(integrity), encrypted_identity})), seed.encrypted};
}

} // namespace casemate::verifier
