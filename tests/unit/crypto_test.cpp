// SPDX-License-Identifier: Apache-2.0
// Runs twice: in casemate-unit over OpenSSL, in casemate-unit-bearssl over BearSSL. The reference is OpenSSL's EVP.
#include "dlaunch/measure/crypto.hpp"
#include "tests/unit/hex.hpp"

#include <catch2/catch.hpp>
#include <openssl/evp.h>

#include <algorithm>
#include <string>

using namespace casemate;
using namespace casemate::measure;
using casemate::test::from_hex;
using casemate::test::to_hex;

namespace {

ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

constexpr TPM_ALG_ID all_algorithms[] = {TPM_ALG_ID::SHA1, TPM_ALG_ID::SHA256, TPM_ALG_ID::SHA384,
                                         TPM_ALG_ID::SHA512};

std::string reference(TPM_ALG_ID algorithm, ByteView bytes) {
    std::vector<std::uint8_t> digest(EVP_MAX_MD_SIZE);
    unsigned size = 0;
    REQUIRE(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size,
                       EVP_get_digestbyname(name_of(algorithm)), nullptr) == 1);
    digest.resize(size);
    return to_hex(digest);
}

// RFC 6979 A.2.5: key, SHA-256 of "sample", signature. Its s is in the upper half; `low_s` is n - s.
constexpr std::string_view point = "04"
    "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
    "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299";
constexpr std::string_view r = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716";
constexpr std::string_view s = "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8";
constexpr std::string_view low_s = "0834e36ad29a83bf2bc9385e491d6099c8fdf9d1ed67aa7ea5f51f93782857a9";

std::vector<std::uint8_t> join(std::string_view a, std::string_view b) {
    return from_hex(std::string{a} + std::string{b});
}

} // namespace

TEST_CASE("digests of FIPS 180 for abc", "[crypto]") {
    CHECK(to_hex(hash(TPM_ALG_ID::SHA1, as_bytes("abc")).view()) == "a9993e364706816aba3e25717850c26c9cd0d89d");
    CHECK(to_hex(hash(TPM_ALG_ID::SHA256, as_bytes("abc")).view()) ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(to_hex(hash(TPM_ALG_ID::SHA384, as_bytes("abc")).view()) ==
          "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
    CHECK(to_hex(hash(TPM_ALG_ID::SHA512, as_bytes("abc")).view()) ==
          "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
          "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST_CASE("every length around the block sizes hashes as the reference does, whole and in parts", "[crypto]") {
    std::vector<std::uint8_t> message;
    for (std::size_t size = 0; size < 300; ++size) {
        for (const TPM_ALG_ID algorithm : all_algorithms) {
            const std::string expected = reference(algorithm, message);
            REQUIRE(to_hex(hash(algorithm, message).view()) == expected);
            Hasher parts{algorithm};
            const std::size_t cut = size * 5 / 7;
            parts.update(ByteView{message}.first(cut));
            parts.update({});
            parts.update(ByteView{message}.subspan(cut));
            REQUIRE(to_hex(parts.finish().view()) == expected);
        }
        message.push_back(static_cast<std::uint8_t>(size * 31 + 7));
    }
}

TEST_CASE("hash_all gives one digest for each bank in order", "[crypto]") {
    Banks banks;
    REQUIRE(banks.add(TPM_ALG_ID::SHA384));
    REQUIRE(banks.add(TPM_ALG_ID::SHA256));
    CHECK_FALSE(banks.add(TPM_ALG_ID::SHA256));
    CHECK_FALSE(banks.add(static_cast<TPM_ALG_ID>(0x12)));
    const DigestSet digests = hash_all(banks, as_bytes("abc"));
    REQUIRE(digests.size() == 2);
    CHECK(digests.begin()->algorithm == TPM_ALG_ID::SHA384);
    CHECK(*digests.find(TPM_ALG_ID::SHA256) == hash(TPM_ALG_ID::SHA256, as_bytes("abc")));
    CHECK(digests.find(TPM_ALG_ID::SHA1) == nullptr);
}

TEST_CASE("the RFC 6979 signature verifies and any flipped bit in it does not", "[crypto]") {
    const auto key = P256PublicKey::create(from_hex(point));
    REQUIRE(key.ok());
    const Sha256Digest digest = sha256(as_bytes("sample"));
    auto signature = join(r, s);
    CHECK(key.value().verify(digest, signature));
    CHECK(key.value().verify(digest, join(r, low_s)));
    CHECK_FALSE(key.value().verify(sha256(as_bytes("test")), signature));
    for (std::size_t bit = 0; bit < 512; ++bit) {
        signature[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        REQUIRE_FALSE(key.value().verify(digest, signature));
        signature[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    }
}

TEST_CASE("degenerate signatures and sizes are refused", "[crypto]") {
    const auto key = P256PublicKey::create(from_hex(point));
    REQUIRE(key.ok());
    const Sha256Digest digest = sha256(as_bytes("sample"));
    const std::string zero(64, '0');
    const std::string_view order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    CHECK_FALSE(key.value().verify(digest, join(zero, zero)));
    CHECK_FALSE(key.value().verify(digest, join(r, zero)));
    CHECK_FALSE(key.value().verify(digest, join(zero, s)));
    CHECK_FALSE(key.value().verify(digest, join(r, order)));
    CHECK_FALSE(key.value().verify(digest, join(order, s)));
    const auto signature = join(r, s);
    CHECK_FALSE(key.value().verify(digest, ByteView{signature}.first(63)));
    CHECK_FALSE(key.value().verify(ByteView{digest}.first(31), signature));
}

TEST_CASE("malformed points are refused at creation, points off the curve at the latest by verify", "[crypto]") {
    auto bytes = from_hex(point);
    CHECK_FALSE(P256PublicKey::create(ByteView{bytes}.first(64)).ok());
    bytes[0] = 0x02;
    CHECK_FALSE(P256PublicKey::create(bytes).ok());
    bytes[0] = 0x04;
    bytes[64] ^= 1;
    const auto off_curve = P256PublicKey::create(bytes);
    const Sha256Digest digest = sha256(as_bytes("sample"));
    CHECK_FALSE((off_curve.ok() && off_curve.value().verify(digest, join(r, s))));
}

TEST_CASE("copies and moves of a key verify", "[crypto]") {
    auto made = P256PublicKey::create(from_hex(point));
    REQUIRE(made.ok());
    const P256PublicKey copy = made.value();
    P256PublicKey moved = std::move(made.value());
    const Sha256Digest digest = sha256(as_bytes("sample"));
    CHECK(copy.verify(digest, join(r, s)));
    CHECK(moved.verify(digest, join(r, s)));
    moved = copy;
    CHECK(moved.verify(digest, join(r, s)));
}

TEST_CASE("of the two encodings of a signature only the one with the low s is canonical", "[crypto]") {
    CHECK_FALSE(signature_is_low_s(join(r, s)));
    CHECK(signature_is_low_s(join(r, low_s)));
    CHECK_FALSE(signature_is_low_s(join(r, std::string(64, '0'))));
    CHECK(signature_is_low_s(join(r, "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8")));
    CHECK_FALSE(signature_is_low_s(join(r, "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a9")));
    CHECK_FALSE(signature_is_low_s(from_hex(low_s)));
}
