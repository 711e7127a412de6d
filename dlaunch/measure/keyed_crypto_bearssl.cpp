// SPDX-License-Identifier: Apache-2.0
// keyed_crypto.hpp over BearSSL: what the hypervisor runs. BearSSL's HMAC and OAEP take a hash as a class; its own class of
// SHA-256 starts and finishes with SSE instructions, so they get one that does not.
#include "dlaunch/measure/bearssl_sha256.hpp"
#include "dlaunch/measure/keyed_crypto.hpp"

#include <bearssl/bearssl_hmac.h>
#include <bearssl/bearssl_rand.h>
#include <bearssl/bearssl_rsa.h>

namespace casemate::measure {
namespace {

constexpr std::size_t digest_bytes = sizeof(Sha256Digest), state_bytes = 32, block_log2 = 6;

// SAFETY: BearSSL hands back the address of the class pointer, the first member of the context.
br_sha256_context& mine(const br_hash_class** context) { return *reinterpret_cast<br_sha256_context*>(context); }
const br_sha256_context& mine(const br_hash_class* const* context) {
    return *reinterpret_cast<const br_sha256_context*>(context);
}

extern const br_hash_class without_sse;

constexpr br_hash_class make_class() {
    return {.context_size = sizeof(br_sha256_context),
            .desc = BR_HASHDESC_ID(br_sha256_ID) | BR_HASHDESC_OUT(digest_bytes) | BR_HASHDESC_STATE(state_bytes) |
                    BR_HASHDESC_LBLEN(block_log2) | BR_HASHDESC_MD_PADDING | BR_HASHDESC_MD_PADDING_BE,
            .init = [](const br_hash_class** context) {
                *context = &without_sse;
                br_sha256_set_state(&mine(context), sha256_start, 0);
            },
            .update = [](const br_hash_class** context, const void* data, std::size_t size) {
                br_sha256_update(&mine(context), data, size);
            },
            .out = [](const br_hash_class* const* context, void* digest) {
                br_sha256_context copy = mine(context);
                finish_sha256(copy, digest);
            },
            .state = [](const br_hash_class* const* context, void* words) { return br_sha256_state(&mine(context), words); },
            .set_state = [](const br_hash_class** context, const void* words, std::uint64_t count) {
                br_sha256_set_state(&mine(context), words, count);
            }};
}
const br_hash_class without_sse = make_class();

/// Hands out the caller's random bytes, once; OAEP asks for one seed.
struct GivenSeed {
    const br_prng_class* vtable;
    ByteView left;
};
constexpr br_prng_class given_seed_class = {
    .context_size = sizeof(GivenSeed),
    .init = nullptr,
    .generate = [](const br_prng_class** context, void* out, std::size_t size) {
        ByteView& left = reinterpret_cast<GivenSeed*>(context)->left; // SAFETY: as above
        const ByteView taken = left.first(size <= left.size() ? size : 0);
        std::memcpy(out, taken.data(), taken.size());
        left = left.subspan(taken.size());
    },
    .update = nullptr};

} // namespace

Sha256Digest hmac_sha256(ByteView key, ByteView message) {
    Sha256Digest digest{};
    br_hmac_key_context prepared;
    br_hmac_context context;
    br_hmac_key_init(&prepared, &without_sse, key.data(), key.size());
    br_hmac_init(&context, &prepared, 0);
    br_hmac_update(&context, message.data(), message.size());
    br_hmac_out(&context, digest.data());
    return digest;
}

bool rsa_oaep_encrypt(ByteView modulus, ByteView label, ByteView message, ByteView seed, Rsa2048Block& out) {
    if (modulus.size() != rsa2048_size || seed.size() != digest_bytes) return false;
    std::uint8_t exponent[] = {1, 0, 1};
    // SAFETY: a mutable pointer that is only read.
    const br_rsa_public_key key{const_cast<std::uint8_t*>(modulus.data()), modulus.size(), exponent, sizeof exponent};
    GivenSeed given{&given_seed_class, seed};
    return br_rsa_i31_oaep_encrypt(&given.vtable, &without_sse, label.data(), label.size(), &key, out.data(), out.size(),
                                   message.data(), message.size()) == out.size();
}

void wipe(ByteSpan secret) {
    std::memset(secret.data(), 0, secret.size());
    asm volatile("" : : "r"(secret.data()) : "memory"); // SAFETY: no instruction; the bytes count as read
}

} // namespace casemate::measure
