// SPDX-License-Identifier: Apache-2.0
// A key in a device, with a device that misbehaves: what it signs is made low-s and checked before anybody sees it.
#include <catch2/catch.hpp>

#include "attest/grant/grant_sign.hpp"
#include "tests/unit/signing_stub.hpp"

using namespace casemate;
using namespace casemate::test;
using cose::SignError;

namespace {

const ByteView words = verifier::as_bytes("some words");

struct Scene {
    std::shared_ptr<DeviceStub> device = std::make_shared<DeviceStub>();
    cose::Signer signer = cose::Signer::with(device).value();
    measure::P256PublicKey key = measure::P256PublicKey::create(signer.public_key()).value();
};

} // namespace

TEST_CASE("a device's signature verifies, and its s is in the lower half whatever the device chose", "[keystore]") {
    Scene scene;
    const auto digest = measure::sha256(words);
    for (const bool high : {false, true}) {
        scene.device->high_s = high;
        const auto signature = scene.signer.sign(words, {});
        REQUIRE(signature.ok());
        CHECK(measure::signature_is_low_s(signature.value()));
        CHECK(scene.key.verify(digest, signature.value()));
    }
}

TEST_CASE("a signature that is not by the device's key never leaves", "[keystore]") {
    Scene scene;
    scene.device->bend = [](cose::RawSignature& signature) { signature[10] ^= 1; };
    CHECK(scene.signer.sign(words, {}).error() == SignError::wrong_signature);
    scene.device->bend = [](cose::RawSignature& signature) { signature = {}; };
    CHECK(scene.signer.sign(words, {}).error() == SignError::wrong_signature);
    scene.device->bend = [](cose::RawSignature& signature) { signature.fill(0xff); };
    CHECK_FALSE(scene.signer.sign(words, {}).ok());
    scene.device->bend = nullptr;
    CHECK(scene.signer.sign(words, {}).ok());
}

TEST_CASE("what a device fails with is what the caller gets, in words", "[keystore]") {
    Scene scene;
    for (const SignError why : {SignError::device, SignError::device_locked, SignError::device_key}) {
        scene.device->failure = why;
        CHECK(scene.signer.sign(words, {}).error() == why);
        CHECK(grant::sign({}, scene.signer).error() == why);
        CHECK(std::string{cose::describe(why)}.find("device") != std::string::npos);
    }
}

TEST_CASE("a device whose public key is no point is not taken", "[keystore]") {
    const auto device = std::make_shared<DeviceStub>();
    device->point[0] = 2;
    CHECK(cose::Signer::with(device).error() == SignError::not_p256_private_key);
}
