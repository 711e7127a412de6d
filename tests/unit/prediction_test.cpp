// SPDX-License-Identifier: Apache-2.0
#include "attest/cose/signer.hpp"
#include "dlaunch/measure/crypto.hpp"
#include "dlaunch/measure/tools/prediction.hpp"
#include "policy/model/bundle.hpp"
#include "tests/unit/evidence_builder.hpp"
#include "tests/unit/hex.hpp"

#include <catch2/catch.hpp>

using namespace casemate;
using namespace casemate::test;
using predict::Inputs;

namespace {

policy::Policy policy_with_key(const cose::Signer& key) {
    policy::Policy policy = sample_policy();
    policy.grant_key = key.public_key();
    return policy;
}

Bytes signed_bundle(const policy::Policy& policy, const cose::Signer& owner) {
    Bytes header(cose::max_protected), payload(65536);
    const ByteView header_view = policy::encode_bundle_header(owner.public_key(), header);
    return owner.sign_message(header_view, policy::encode_policy(policy, payload)).value();
}

Inputs sample_inputs() {
    static const cose::Signer owner = cose::Signer::generate().value();
    Inputs inputs;
    inputs.slb = Bytes(5000, 0x90);
    const Bytes header{0x40, 0x00, 0xa0, 0x0f, 0x43, 0x53, 0x4c, 0x42, 0x01, 0x00, 0x00, 0x20}; // length 4000
    std::copy(header.begin(), header.end(), inputs.slb.begin());
    inputs.hypervisor = Bytes(300, 0x52);
    inputs.policy = signed_bundle(policy_with_key(owner), owner);
    inputs.image_digest = [](std::string_view name) -> Result<measure::Sha256Digest, predict::Problem> {
        return measure::sha256({reinterpret_cast<const std::uint8_t*>(name.data()), name.size()});
    };
    return inputs;
}

measure::Digest twice_extended(TPM_ALG_ID bank, ByteView first, ByteView second) {
    const auto once = measure::extended(measure::Digest::filled(bank, 0), measure::hash(bank, first));
    return measure::extended(once, measure::hash(bank, second));
}

} // namespace

TEST_CASE("the prediction holds the PCRs of the launch in every bank", "[predict]") {
    const Inputs inputs = sample_inputs();
    const auto reference = predict::predict(inputs);
    REQUIRE(reference.ok());
    const auto& json = reference.value();
    CHECK(json["slb"]["length"] == 4000);
    CHECK(json["policy"]["epoch"] == 7);
    const auto owner = policy::open_bundle(inputs.policy).value().owners.bytes();
    CHECK(json["owner_key"] == to_hex(owner));
    for (const auto bank : {TPM_ALG_ID::SHA1, TPM_ALG_ID::SHA256, TPM_ALG_ID::SHA384, TPM_ALG_ID::SHA512}) {
        const auto& pcrs = json["pcrs"][measure::name_of(bank)];
        CHECK(pcrs["17"] ==
              to_hex(twice_extended(bank, ByteView{inputs.slb}.first(4000), inputs.hypervisor).view()));
        CHECK(pcrs["18"] == to_hex(twice_extended(bank, owner, inputs.policy).view()));
    }
}

TEST_CASE("the prediction names each VM by the digest of its definition", "[predict]") {
    const auto reference = predict::predict(sample_inputs());
    REQUIRE(reference.ok());
    const auto& vms = reference.value()["vms"];
    REQUIRE(vms.size() == 2);
    CHECK(vms[1]["name"] == "net0");
    CHECK(vms[1]["kernel"]["file"] == "vmlinuz");
    const auto digest = sample_inputs().image_digest("vmlinuz");
    CHECK(vms[1]["kernel"]["sha256"] == to_hex(digest.value()));
    policy::ImageDigests images{digest.value(), sample_inputs().image_digest("agent.img").value()};
    std::uint8_t buffer[policy::max_vm_definition];
    const policy::Policy policy = sample_policy();
    CHECK(vms[1]["vm_id"] == to_hex(policy::vm_id(policy::encode_vm_definition(policy.vms[1], images, buffer))));
}

TEST_CASE("files that cannot be launched are refused in a sentence", "[predict]") {
    Inputs inputs = sample_inputs();
    SECTION("no SLB header") { inputs.slb[4] = 0; }
    SECTION("length beyond the file") { inputs.slb[3] = 0xff; }
    SECTION("length zero") { inputs.slb[2] = inputs.slb[3] = 0; }
    SECTION("policy with a bad signature") { inputs.policy.back() ^= 1; }
    SECTION("image missing") {
        inputs.image_digest = [](std::string_view) -> Result<measure::Sha256Digest, predict::Problem> {
            return Failure{predict::Problem{"Cannot read it."}};
        };
    }
    const auto reference = predict::predict(inputs);
    REQUIRE_FALSE(reference.ok());
    CHECK(reference.error().back() == '.');
}
