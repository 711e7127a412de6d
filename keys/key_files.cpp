// SPDX-License-Identifier: Apache-2.0
// See key_files.hpp.
#include "keys/key_files.hpp"

#include "attest/cose/signer.hpp"

#include <array>
#include <cstdint>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

namespace casemate::keys {
namespace {

PrivateKey parse_private_key(const std::string& pem, const std::string& name) {
    const MemoryBio bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    require(bio != nullptr, "allocate");
    PrivateKey key{PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr)};
    std::array<char, 32> group{};
    if (!key || EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), nullptr) != 1 ||
        std::string_view{group.data()} != "prime256v1") {
        throw KeyError{name + " does not hold a P-256 private key"};
    }
    return key;
}

std::string private_pem(EVP_PKEY& key) {
    const MemoryBio bio{BIO_new(BIO_s_secmem())};
    require(bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
            "encode a private key");
    return contents(*bio);
}

std::string public_pem(EVP_PKEY& key) {
    const MemoryBio bio{BIO_new(BIO_s_mem())};
    require(bio && PEM_write_bio_PUBKEY(bio.get(), &key) == 1, "encode a public key");
    return contents(*bio);
}

void expect_purpose(const std::string& pem, const std::string& name, Purpose purpose) {
    if (purpose == Purpose::production && pem.find(cose::development_mark) != std::string::npos)
        throw KeyError{name + " is a development key: make production keys in a directory of their own"};
}

} // namespace

std::string_view mark_of(Purpose purpose) { return purpose == Purpose::development ? cose::development_mark : std::string_view{}; }

std::string contents(BIO& bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(&bio, &data);
    require(size > 0, "encode");
    return {data, static_cast<std::size_t>(size)};
}

PrivateKey ensure_private_key(const PrivateDirectory& directory, const std::string& name, Purpose purpose) {
    if (const auto pem = directory.read(name)) {
        expect_purpose(*pem, name, purpose);
        return parse_private_key(*pem, name);
    }
    PrivateKey key{EVP_EC_gen("P-256")};
    require(key != nullptr, "make a P-256 key");
    std::string pem = std::string{mark_of(purpose)} + private_pem(*key);
    directory.write_new(name, pem);
    OPENSSL_cleanse(pem.data(), pem.size());
    return key;
}

PrivateKey public_key_of(const cose::PublicPoint& point) {
    char group[] = "prime256v1";
    cose::PublicPoint bytes = point;
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                                     OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, bytes.data(), bytes.size()), OSSL_PARAM_construct_end()};
    const std::unique_ptr<EVP_PKEY_CTX, Releaser<EVP_PKEY_CTX_free>> maker{EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr)};
    EVP_PKEY* key = nullptr;
    require(maker && EVP_PKEY_fromdata_init(maker.get()) == 1 && EVP_PKEY_fromdata(maker.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters) == 1,
            "take the device's public key");
    return PrivateKey{key};
}

void ensure_public_key(const PrivateDirectory& directory, const std::string& name, EVP_PKEY& key, Purpose purpose) {
    const std::string bare = public_pem(key), wanted = std::string{mark_of(purpose)} + bare;
    if (const auto found = directory.read(name)) {
        expect_purpose(*found, name, purpose);
        if (*found != wanted && *found != bare) throw KeyError{name + " is not the public half of its private key"};
        return;
    }
    directory.write_new(name, wanted);
}

void ensure_token(const PrivateDirectory& directory, const std::string& name) {
    if (directory.read(name)) return;
    std::array<std::uint8_t, 32> random{};
    require(RAND_bytes(random.data(), random.size()) == 1, "make random bytes");
    std::string text;
    for (const std::uint8_t byte : random) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    directory.write_new(name, text + "\n");
}

} // namespace casemate::keys
