// SPDX-License-Identifier: Apache-2.0
#include "attest/grant/grant_sign.hpp"
#include "tests/unit/hex.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>
#include <string>

using namespace casemate;
using namespace casemate::grant;
using casemate::test::from_hex;
using casemate::test::to_hex;
using measure::P256PublicKey;

namespace {

using Bytes = std::vector<std::uint8_t>;

template <std::size_t size>
std::array<std::uint8_t, size> filled(std::uint8_t byte) {
    std::array<std::uint8_t, size> array;
    array.fill(byte);
    return array;
}

Claims sample_claims() {
    Claims claims;
    claims.id = filled<16>(1);
    claims.platform_id = filled<32>(2);
    claims.launch_id = filled<32>(3);
    claims.gate_nonce = filled<32>(4);
    claims.vm_id = filled<32>(5);
    claims.device = {0, 0, 3, 0};
    claims.rights = 7;
    claims.lease = 30;
    claims.epoch = 1;
    return claims;
}

const cose::Signer& signer() {
    static const cose::Signer key = cose::Signer::generate().value();
    return key;
}

const P256PublicKey& public_key() {
    static const P256PublicKey key = P256PublicKey::create(signer().public_key()).value();
    return key;
}

Bytes sample_message() { return sign(sample_claims(), signer()).value(); }

GrantError error_of(ByteView message, const P256PublicKey& key = public_key()) {
    const auto verified = verify(message, key);
    return verified.ok() ? GrantError::none : verified.error();
}

Bytes signed_payload(ByteView header, ByteView payload) { return signer().sign_message(header, payload).value(); }

Bytes encoded(const Claims& claims) {
    Bytes buffer(max_message);
    buffer.resize(encode_claims(claims, buffer).size());
    return buffer;
}

/// The sample's claims after `change`, properly signed: only the claims are wrong.
GrantError error_of_claims(Bytes payload) { return error_of(signed_payload(protected_header, payload)); }

/// sample_claims() as python3-cbor2 (canonical=True) writes them.
constexpr std::string_view golden_claims =
    "ab0750010101010101010101010101010101013a00010000013a00010001582002020202020202020202020202020202"
    "020202020202020202020202020202023a00010002582003030303030303030303030303030303030303030303030303"
    "030303030303033a00010003582004040404040404040404040404040404040404040404040404040404040404043a00"
    "010004582005050505050505050505050505050505050505050505050505050505050505053a0001000584000003003a"
    "00010006073a00010007181e3a00010008013a0001000900";
/// Signed by `openssl dgst -sha256 -sign` with a key made for this test only.
constexpr std::string_view golden_key =
    "04e7ad27fe42af4678968359c978dbe102c0df027f02c960af0c2b2973891dc04c01c3e41c04e678cee20bb2ce8b0be6"
    "91dee3bdabe86301f71341c714bd37d571";
constexpr std::string_view golden_signature =
    "d5bb566b41efdfe97f72f48cead5fa38267fc32b6468ac4865e27200e1216d271a51cd28d359fac0fcf15b99ccea94b1"
    "6645c3a98e92c4faf4b1c0e99518f5a4";

} // namespace

TEST_CASE("claims have the documented encoding", "[grant]") {
    CHECK(to_hex(encoded(sample_claims())) == to_hex(from_hex(golden_claims)));
}

TEST_CASE("a grant that other tools made is verified", "[grant]") {
    const auto key = P256PublicKey::create(from_hex(golden_key));
    REQUIRE(key.ok());
    Bytes buffer(max_message);
    const ByteView message = encode_message(from_hex(golden_claims), from_hex(golden_signature), buffer);
    const auto verified = verify(message, key.value());
    REQUIRE(verified.ok());
    CHECK(verified.value().claims() == sample_claims());
}

TEST_CASE("every type of grant survives the round trip", "[grant]") {
    for (const Type type : {Type::grant, Type::renewal, Type::revocation, Type::bootstrap}) {
        Claims claims = sample_claims();
        claims.type = type;
        claims.evidence_clock = 1234567890123;
        const auto verified = verify(sign(claims, signer()).value(), public_key());
        REQUIRE(verified.ok());
        CHECK(verified.value().claims() == claims);
    }
}

TEST_CASE("every truncation of a grant and every appended byte is refused", "[grant]") {
    Bytes message = sample_message();
    for (std::size_t size = 0; size < message.size(); ++size)
        CHECK(error_of(ByteView{message}.first(size)) == GrantError::shape);
    message.push_back(0);
    CHECK(error_of(message) == GrantError::shape);
    CHECK(error_of(Bytes(max_message + 1)) == GrantError::shape);
}

TEST_CASE("every single flipped bit of a grant is refused", "[grant]") {
    Bytes message = sample_message();
    std::set<GrantError> seen;
    for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
        message[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        const GrantError error = error_of(message);
        if (error == GrantError::none) FAIL("accepted with bit " << bit << " flipped");
        seen.insert(error);
        message[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    }
    CHECK(error_of(message) == GrantError::none);
    CHECK(seen == std::set{GrantError::shape, GrantError::algorithm, GrantError::type, GrantError::signature});
}

TEST_CASE("a grant of another key is refused", "[grant]") {
    const auto other = cose::Signer::generate().value();
    const auto key = P256PublicKey::create(other.public_key()).value();
    CHECK(error_of(sample_message(), key) == GrantError::signature);
}

TEST_CASE("the mirrored signature of a valid grant is refused", "[grant]") {
    const Bytes order = from_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    Bytes message = sample_message();
    std::uint8_t* s = message.data() + message.size() - 32;
    int borrow = 0;
    for (int i = 31; i >= 0; --i) { // s := order - s
        const int difference = order[i] - s[i] - borrow;
        borrow = difference < 0;
        s[i] = static_cast<std::uint8_t>(difference);
    }
    CHECK(error_of(message) == GrantError::signature);
}

TEST_CASE("a signed message that is not in the one accepted encoding is refused", "[grant]") {
    const Bytes claims = encoded(sample_claims());
    SECTION("a longer head than needed") { // the last claim, evidence clock 0, as 18 00
        Bytes longer = claims;
        longer.back() = 0x18;
        longer.push_back(0);
        CHECK(error_of_claims(longer) == GrantError::shape);
    }
    SECTION("keys out of order") { // the last two pairs are each 3a........ and one byte
        Bytes swapped = claims;
        std::rotate(swapped.end() - 12, swapped.end() - 6, swapped.end());
        CHECK(error_of_claims(swapped) == GrantError::shape);
    }
    SECTION("an indefinite map") {
        Bytes indefinite = claims;
        indefinite.front() = 0xbf;
        indefinite.push_back(0xff);
        CHECK(error_of_claims(indefinite) == GrantError::shape);
    }
    SECTION("a claim more") {
        Bytes more = claims;
        ++more.front();
        for (const std::uint8_t byte : from_hex("3a00010100 00")) more.push_back(byte);
        CHECK(error_of_claims(more) == GrantError::shape);
    }
}

TEST_CASE("other algorithms and headers are refused", "[grant]") {
    const Bytes claims = encoded(sample_claims());
    CHECK(error_of(signed_payload(from_hex("a1013822"), claims)) == GrantError::algorithm); // ES384
    CHECK(error_of(signed_payload(from_hex("a0"), claims)) == GrantError::algorithm);
    CHECK(error_of(signed_payload({}, claims)) == GrantError::algorithm);
    CHECK(error_of(signed_payload(from_hex("a2012604 00"), claims)) == GrantError::algorithm);
}

TEST_CASE("an unknown type is refused by its number", "[grant]") {
    Claims claims = sample_claims();
    claims.type = static_cast<Type>(5);
    CHECK(error_of_claims(encoded(claims)) == GrantError::type);
    claims.type = static_cast<Type>(0);
    CHECK(error_of_claims(encoded(claims)) == GrantError::type);
}

TEST_CASE("a device that cannot exist is refused", "[grant]") {
    Claims claims = sample_claims();
    claims.device.device = 32;
    CHECK(error_of_claims(encoded(claims)) == GrantError::shape);
    claims.device = {0, 0, 0, 8};
    CHECK(error_of_claims(encoded(claims)) == GrantError::shape);
}

TEST_CASE("the numbers of the refusals are the documented ones", "[grant]") {
    CHECK(static_cast<int>(GrantError::shape) == 1);
    CHECK(static_cast<int>(GrantError::rights) == 12);
    CHECK(static_cast<int>(GrantError::log_full) == 19);
    std::set<std::string> sentences;
    for (int i = 0; i <= 20; ++i) sentences.insert(describe(static_cast<GrantError>(i)));
    CHECK(sentences.size() == 21);
}

TEST_CASE("while a policy names two keys a grant by either counts, and by no other", "[grant]") {
    const cose::Signer next = cose::Signer::generate().value(), stranger = cose::Signer::generate().value();
    const auto keys = Keys::create(signer().public_key(), true, next.public_key()).value();
    CHECK(verify(sample_message(), keys).ok());
    CHECK(verify(sign(sample_claims(), next).value(), keys).ok());
    CHECK(verify(sign(sample_claims(), stranger).value(), keys).error() == GrantError::signature);
    const auto one = Keys::create(next.public_key(), false, signer().public_key()).value(); // the policy after: the old key has ended
    CHECK(verify(sign(sample_claims(), next).value(), one).ok());
    CHECK(verify(sample_message(), one).error() == GrantError::signature);
    CHECK_FALSE(Keys::create(signer().public_key(), true, {}).ok());
}
