// SPDX-License-Identifier: Apache-2.0
// The messages of a sealed secret and what they are computed from. That a TPM agrees is shown by casemate-secret-test.
#include "attest/secret/release.hpp"
#include "attest/secret/seal.hpp"
#include "attest/verifier/tpm_public.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace casemate;
using namespace casemate::secret;

namespace {

const Bytes plain{'q', 'u', 'i', 'x', 'o', 't', 'e'};

Bytes modulus() {
    Bytes bytes(measure::rsa2048_size, 0x5b);
    bytes.front() = 0xc0;
    bytes.back() = 0x01;
    return bytes;
}

measure::P256PublicKey point_of(const cose::Signer& signer) { return measure::P256PublicKey::create(signer.public_key()).value(); }

Circumstances some_circumstances() {
    Circumstances at;
    at.pcr_17.fill(0x17), at.pcr_18.fill(0x18), at.vm_id.fill(0x22);
    at.nv_index = 0x01800001, at.last_epoch = 5;
    return at;
}

} // namespace

TEST_CASE("a sealed secret says whom it is for and not what it is", "[secret]") {
    const auto owner = cose::Signer::generate().value();
    const auto message = seal({"volume-key", "disk0", 0x81010001, modulus()}, plain, owner);
    REQUIRE(message.ok());
    CHECK(message.value().size() <= max_message);
    const auto opened = open_secret(message.value(), point_of(owner));
    REQUIRE(opened.ok());
    CHECK(opened.value().name == "volume-key");
    CHECK(opened.value().vm == "disk0");
    CHECK(opened.value().parent == 0x81010001);
    CHECK(equal(opened.value().modulus, modulus()));
    CHECK(opened.value().platform_id() == measure::sha256(endorsement_key(modulus()).view()));
    CHECK(std::search(message.value().begin(), message.value().end(), plain.begin(), plain.end()) == message.value().end());
    const auto again = seal({"volume-key", "disk0", 0x81010001, modulus()}, plain, owner);
    CHECK(again.value() != message.value());
}

TEST_CASE("the endorsement key that secrets are sealed to is the one that the verifier enrols", "[secret]") {
    const TpmArea area = endorsement_key(modulus());
    Bytes sized{static_cast<std::uint8_t>(area.view().size() >> 8), static_cast<std::uint8_t>(area.view().size())};
    sized.insert(sized.end(), area.view().begin(), area.view().end());
    CHECK(casemate::verifier::parse_endorsement_key(sized).ok());
    sized[2 + 4 + 3] ^= 1; // another attribute, another template
    CHECK_FALSE(casemate::verifier::parse_endorsement_key(sized).ok());
}

TEST_CASE("every truncation and every flipped bit of a sealed secret is refused", "[secret]") {
    const auto owner = cose::Signer::generate().value();
    const auto message = seal({"n", "v", 1, modulus()}, plain, owner).value();
    const auto key = point_of(owner);
    for (std::size_t size = 0; size < message.size(); ++size) REQUIRE_FALSE(open_secret(ByteView{message}.first(size), key).ok());
    for (std::size_t i = 0; i < message.size(); i += 3) {
        Bytes changed = message;
        changed[i] ^= 1;
        REQUIRE_FALSE(open_secret(changed, key).ok());
    }
    Bytes longer = message;
    longer.push_back(0);
    CHECK(open_secret(longer, key).error() == MessageError::shape);
    CHECK(open_secret(Bytes(max_message + 1), key).error() == MessageError::too_large);
}

TEST_CASE("another message of the owner's is no sealed secret", "[secret]") {
    const auto owner = cose::Signer::generate().value();
    const auto message = seal({"n", "v", 1, modulus()}, plain, owner).value();
    const auto opened = open_secret(message, point_of(owner));
    REQUIRE(opened.ok());
    std::array<std::uint8_t, max_message> buffer;
    const ByteView payload = encode_secret(opened.value(), buffer);
    constexpr std::uint8_t other_header[] = {0xa1, 0x01, 0x26};
    const auto other = owner.sign_message(other_header, payload).value();
    CHECK(open_secret(other, point_of(owner)).error() == MessageError::header);
}

TEST_CASE("an approval comes back as it was written, and no part of it alone", "[secret]") {
    const auto owner = cose::Signer::generate().value();
    const auto at = some_circumstances();
    const auto message = approve("disk0", at, owner).value();
    const auto read = read_approval(message);
    REQUIRE(read.ok());
    CHECK(read.value().vm == "disk0");
    CHECK(read.value().nv_index == at.nv_index);
    CHECK(read.value().last_epoch == at.last_epoch);
    CHECK(read.value().approved_policy == expected_policy(at));
    CHECK(point_of(owner).verify(approval_digest(read.value().approved_policy, "disk0"), read.value().signature));
    CHECK_FALSE(point_of(owner).verify(approval_digest(read.value().approved_policy, "disk1"), read.value().signature));
    for (std::size_t size = 0; size < message.size(); ++size) REQUIRE_FALSE(read_approval(ByteView{message}.first(size)).ok());
    CHECK_FALSE(approve("", at, owner).ok());
}

TEST_CASE("the policy that is approved depends on each of its circumstances", "[secret]") {
    const auto base = some_circumstances();
    const auto digest = expected_policy(base);
    auto other = base;
    other.pcr_17[0] ^= 1;
    CHECK(expected_policy(other) != digest);
    other = base, other.pcr_18[31] ^= 1;
    CHECK(expected_policy(other) != digest);
    other = base, other.vm_id[5] ^= 1;
    CHECK(expected_policy(other) != digest);
    other = base, other.nv_index += 1;
    CHECK(expected_policy(other) != digest);
    other = base, other.last_epoch += 1;
    CHECK(expected_policy(other) != digest);
    const auto owner = cose::Signer::generate().value();
    CHECK(expected_auth_policy(owner.public_key(), "disk0") != expected_auth_policy(owner.public_key(), "disk1"));
}

TEST_CASE("plaintext takes what a TPM may seal, and is gone when it is cleared", "[secret]") {
    Plaintext out;
    CHECK(out.set(Bytes(128, 9)));
    CHECK(out.view().size() == 128);
    CHECK_FALSE(out.set(Bytes(129, 9)));
    CHECK(out.view().empty());
}
