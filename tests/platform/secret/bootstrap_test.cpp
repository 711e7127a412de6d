// SPDX-License-Identifier: Apache-2.0
// The seal of a bootstrap grant against a software TPM (docs/adr/0029): it opens for one VM, in one state, on one platform, until one epoch is
// over; what the owner's tool does not seal; and the place in the TPM where the message stays.
#include "attest/grant/grant_sign.hpp"
#include "attest/owner/bootstrap_seal.hpp"
#include "attest/owner/provisioning.hpp"
#include "attest/secret/nv_storage.hpp"
#include "attest/verifier/encoding.hpp"
#include "policy/model/bundle.hpp"
#include "tests/platform/secret/test_tpm.hpp"
#include "tests/unit/policy_sample.hpp"

#include <catch2/catch.hpp>

using namespace casemate;
using casemate::secret::Bytes;
using casemate::secret::ReleaseStep;
using casemate::secret_test::TestTpm;
using casemate::verifier::Json;

namespace {

secret::Digest filled(std::uint8_t byte) {
    secret::Digest digest;
    digest.fill(byte);
    return digest;
}

const secret::Digest vm_id = filled(0x22);

/// A platform with the owner's record of it, a policy that lets net0 be bootstrapped, and the verifier that it names.
struct Scene {
    explicit Scene(const cose::Signer* same_owner = nullptr) {
        if (same_owner != nullptr) owner_key = *same_owner;
        tpm.launch();
        tpm.extend(17, filled(0x17));
        tpm.extend(18, filled(0x18));
        record.modulus = secret::read_endorsement_key(tpm.owner()).value();
        record.epoch = secret::ensure_epoch_counter(tpm.owner(), record.epoch_counter).value();
        policy.grant_key = verifier_key.public_key();
        policy.devices[0].bootstrap_lease = 30;
        claims.type = grant::Type::bootstrap;
        const Bytes platform = *verifier::from_hex(record.platform_id());
        std::copy_n(platform.begin(), claims.platform_id.size(), claims.platform_id.begin());
        claims.vm_id = vm_id;
        claims.device = policy.devices[0].address;
        claims.rights = 7;
        claims.lease = 30;
        claims.epoch = policy.epoch;
    }
    [[nodiscard]] Json reference() {
        Bytes header(cose::max_protected);
        const auto bundle = owner_key.sign_message(policy::encode_bundle_header(owner_key.public_key(), header), test::encoded(policy));
        return {{"policy", {{"bundle", verifier::to_base64(bundle.value())}}},
                {"pcrs", {{"sha256", {{"17", verifier::to_hex(tpm.pcr(17))}, {"18", verifier::to_hex(tpm.pcr(18))}}}}},
                {"vms", {{{"name", "net0"}, {"vm_id", verifier::to_hex(vm_id)}}, {{"name", "agent"}, {"vm_id", verifier::to_hex(filled(0x33))}}}}};
    }
    [[nodiscard]] owner::Outcome<Bytes> sealed() {
        message = grant::sign(claims, verifier_key).value();
        return owner::seal_bootstrap(record, message, reference(), owner_key);
    }
    /// The refusal's sentence.
    [[nodiscard]] std::string refusal() {
        const auto result = sealed();
        REQUIRE_FALSE(result.ok());
        return result.error().text;
    }
    /// What the hypervisor does with the request up to custody; "none" with the digest that came out in `digest`.
    ReleaseStep open(const Bytes& request, const secret::Digest& for_vm = vm_id) {
        LittleEndianReader in{request};
        const ByteView grant = in.bytes(in.u32()), seal = in.bytes(in.u32());
        const auto opened = secret::open_secret(seal, measure::P256PublicKey::create(owner_key.public_key()).value());
        const auto approval = secret::read_approval(in.bytes(in.remaining()));
        REQUIRE((in.ok() && opened.ok() && approval.ok()));
        CHECK(opened.value().name == policy::bootstrap_secret);
        CHECK(grant.size() < 400);
        carried = measure::sha256(grant);
        measure::Banks banks;
        REQUIRE(banks.add(measure::TPM_ALG_ID::SHA256));
        secret::Plaintext out;
        const auto result = secret::release(tpm, opened.value(), approval.value(), owner_key.public_key(), for_vm, banks, out);
        digest.assign(out.view().begin(), out.view().end());
        return result.ok() ? ReleaseStep::none : result.error().step;
    }

    TestTpm tpm;
    cose::Signer owner_key = cose::Signer::generate().value(), verifier_key = cose::Signer::generate().value();
    owner::PlatformRecord record;
    policy::Policy policy = test::sample_policy();
    grant::Claims claims;
    Bytes message, digest;
    secret::Digest carried{};
};

bool has(const std::string& text, const char* words) { return text.find(words) != std::string::npos; }

} // namespace

TEST_CASE("the seal of a bootstrap grant opens in the state that it was made for, and gives that grant's digest", "[bootstrap]") {
    Scene scene;
    const auto request = scene.sealed();
    REQUIRE(request.ok());
    CHECK(request.value().size() <= secret::max_stored);
    REQUIRE(scene.open(request.value()) == ReleaseStep::none);
    CHECK(equal(scene.digest, measure::sha256(scene.message)));
    CHECK(equal(scene.digest, scene.carried)); // which comes with it
}

TEST_CASE("the seal of a bootstrap grant stays closed for another VM, another launch, an older epoch and another platform", "[bootstrap]") {
    Scene scene;
    const Bytes request = scene.sealed().value();
    CHECK(scene.open(request, filled(0x23)) == ReleaseStep::authorize); // another image
    scene.tpm.set_locality(0);
    CHECK(scene.open(request) == ReleaseStep::identity); // the agent
    scene.tpm.set_locality(2);
    scene.tpm.extend(18, filled(1));
    CHECK(scene.open(request) == ReleaseStep::authorize); // another policy
    scene.tpm.power_cycle();
    CHECK(scene.open(request) == ReleaseStep::authorize); // no launch
    scene.tpm.launch();
    scene.tpm.extend(17, filled(0x17));
    scene.tpm.extend(18, filled(0x18));
    CHECK(scene.open(request) == ReleaseStep::none);
    Scene there{&scene.owner_key};
    CHECK(there.open(request) == ReleaseStep::session); // the salt is for the other's key
    REQUIRE(secret::count_epoch_up(scene.tpm.owner(), scene.record.epoch_counter).ok());
    CHECK(scene.open(request) == ReleaseStep::circumstances); // retired by its owner
}

TEST_CASE("the owner seals no grant but a bootstrap grant of its verifier's for this platform, on the policy's terms", "[bootstrap]") {
    Scene scene;
    SECTION("an ordinary grant") {
        scene.claims.type = grant::Type::grant;
        CHECK(has(scene.refusal(), "no bootstrap grant"));
    }
    SECTION("another platform's") {
        scene.claims.platform_id[0] ^= 1;
        CHECK(has(scene.refusal(), "another platform"));
    }
    SECTION("an image that is not of this launch") {
        scene.claims.vm_id[0] ^= 1;
        CHECK(has(scene.refusal(), "none that this policy lets be bootstrapped"));
    }
    SECTION("the agent") {
        scene.claims.vm_id = filled(0x33);
        CHECK(has(scene.refusal(), "none that this policy lets be bootstrapped"));
    }
    SECTION("a longer lease") {
        scene.claims.lease = 31;
        CHECK(has(scene.refusal(), "longer than"));
    }
    SECTION("another epoch") {
        scene.claims.epoch += 1;
        CHECK(has(scene.refusal(), "epoch"));
    }
    SECTION("another device") {
        scene.claims.device.device = 9;
        CHECK(has(scene.refusal(), "device is not in this policy"));
    }
    SECTION("another verifier's") {
        scene.verifier_key = cose::Signer::generate().value();
        CHECK(has(scene.refusal(), "not signed by the verifier"));
    }
    SECTION("another owner's policy") {
        const Json reference = scene.reference();
        scene.owner_key = cose::Signer::generate().value();
        CHECK_FALSE(owner::seal_bootstrap(scene.record, grant::sign(scene.claims, scene.verifier_key).value(), reference, scene.owner_key).ok());
    }
}

TEST_CASE("a message stays in the TPM, is replaced and removed; what is not the owner's stays as it is", "[bootstrap]") {
    TestTpm tpm;
    const auto ask = tpm.owner();
    CHECK(secret::stored_message(ask, secret::bootstrap_index).value().empty());
    CHECK(secret::remove_message(ask, secret::bootstrap_index).ok());
    for (const std::size_t size : {1, 255, 256, 257, 1300, 2048}) {
        const Bytes message(size, static_cast<std::uint8_t>(size));
        REQUIRE(secret::store_message(ask, secret::bootstrap_index, message).ok());
        CHECK(secret::stored_message(ask, secret::bootstrap_index).value() == message);
    }
    CHECK_FALSE(secret::store_message(ask, secret::bootstrap_index, {}).ok());
    CHECK_FALSE(secret::store_message(ask, secret::bootstrap_index, Bytes(2049)).ok());
    CHECK(secret::stored_message(ask, secret::bootstrap_index).value().size() == 2048); // a refusal leaves what was there
    REQUIRE(secret::remove_message(ask, secret::bootstrap_index).ok());
    CHECK(secret::stored_message(ask, secret::bootstrap_index).value().empty());
    REQUIRE(secret::ensure_epoch_counter(ask, secret::bootstrap_index).ok()); // something else there
    CHECK_FALSE(secret::store_message(ask, secret::bootstrap_index, Bytes(10)).ok());
    CHECK_FALSE(secret::remove_message(ask, secret::bootstrap_index).ok());
    CHECK(secret::stored_message(ask, secret::bootstrap_index).value().empty());
    CHECK(secret::state_of_counter(ask, secret::bootstrap_index).value() == secret::CounterState::good);
}
