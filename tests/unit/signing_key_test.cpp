// SPDX-License-Identifier: Apache-2.0
// A key in a device, with a device that misbehaves: what it signs is made low-s and checked before anybody sees it.
#include <catch2/catch.hpp>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "attest/grant/grant_sign.hpp"
#include "attest/keystore/bounded_key.hpp"
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
    for (const SignError why : {SignError::device, SignError::device_silent, SignError::device_locked, SignError::device_key}) {
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

namespace {

/// Signs when it is let.
class HangingDevice final : public cose::SigningKey {
public:
    [[nodiscard]] const cose::PublicPoint& public_key() const override { return device_.public_key(); }
    [[nodiscard]] bool is_device() const override { return true; }
    [[nodiscard]] Result<cose::RawSignature, SignError> sign_digest(ByteView digest) const override {
        ++asked;
        std::unique_lock guard{lock_};
        changed_.wait(guard, [this] { return !hangs_; });
        return device_.sign_digest(digest);
    }
    void hang(bool now) {
        const std::lock_guard guard{lock_};
        hangs_ = now;
        changed_.notify_all();
    }
    mutable std::atomic<int> asked{0};

private:
    DeviceStub device_;
    mutable std::mutex lock_;
    mutable std::condition_variable changed_;
    bool hangs_ = false;
};

} // namespace

TEST_CASE("a device is closed when its last user goes, not some time later: a program that ends has its libraries until then", "[keystore]") {
    const auto device = std::make_shared<HangingDevice>();
    for (int times = 0; times < 50; ++times) {
        const cose::Signer signer = cose::Signer::with(std::make_shared<keystore::BoundedKey>(device, std::chrono::seconds{20})).value();
        REQUIRE(signer.sign(words, {}).ok());
    }
    CHECK(device.use_count() == 1);
}

TEST_CASE("a device that hangs holds its caller so long and nobody after him, and is used again when it comes back", "[keystore]") {
    const auto device = std::make_shared<HangingDevice>();
    const cose::Signer signer = cose::Signer::with(std::make_shared<keystore::BoundedKey>(device, std::chrono::milliseconds{50})).value();
    REQUIRE(signer.sign(words, {}).ok());
    device->hang(true);
    CHECK(signer.sign(words, {}).error() == SignError::device_silent);
    CHECK(signer.sign(words, {}).error() == SignError::device_silent); // told at once: the device was not asked
    CHECK(device->asked == 2);
    device->hang(false);
    bool back = false;
    for (int i = 0; i < 1000 && !back; ++i, std::this_thread::sleep_for(std::chrono::milliseconds{5})) back = signer.sign(words, {}).ok();
    CHECK(back);
}

TEST_CASE("callers of a slow device get their own signatures, each verified", "[keystore]") {
    const auto device = std::make_shared<HangingDevice>();
    const cose::Signer signer = cose::Signer::with(std::make_shared<keystore::BoundedKey>(device, std::chrono::seconds{20})).value();
    const measure::P256PublicKey key = measure::P256PublicKey::create(signer.public_key()).value();
    device->hang(true);
    std::atomic<int> good{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < 8; ++i)
        callers.emplace_back([&, i] {
            const std::string text = "words " + std::to_string(i);
            const auto signature = signer.sign(verifier::as_bytes(text), {});
            good += signature.ok() && key.verify(measure::sha256(verifier::as_bytes(text)), signature.value());
        });
    device->hang(false);
    for (std::thread& each : callers) each.join();
    CHECK(good == 8);
}

TEST_CASE("a key whose device hangs can be given up", "[keystore]") {
    const auto device = std::make_shared<HangingDevice>();
    {
        const keystore::BoundedKey key{device, std::chrono::milliseconds{20}};
        device->hang(true);
        CHECK(key.sign_digest(measure::sha256(words)).error() == SignError::device_silent);
    }
    device->hang(false);
    for (int i = 0; i < 1000 && device.use_count() > 1; ++i) std::this_thread::sleep_for(std::chrono::milliseconds{5});
    CHECK(device.use_count() == 1); // the thread has ended
}
