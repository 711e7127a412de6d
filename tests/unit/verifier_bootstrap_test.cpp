// SPDX-License-Identifier: Apache-2.0
// Bootstrap grants at the verifier: who gets one and on what terms, and what the next evidence brings for a device that one has given.
#include <catch2/catch.hpp>

#include "tests/unit/verifier_fixture.hpp"

using namespace casemate;
using namespace casemate::test;

namespace {

const std::string nic = "0000:00:03.0", disk = "0000:00:04.0";

struct Scene {
    TestVerifier verifier;
    std::unique_ptr<Platform> platform = verifier.platform('a');
    std::string reference = verifier.accept(*platform).body["reference_id"];

    Reply issue(const std::string& of, const Json& changes = Json::object()) {
        Json body{{"reference", reference}, {"device", nic}, {"vm", "net0"}};
        body.update(changes);
        return verifier.as_operator("POST", "/v1/platforms/" + of + "/bootstrap", body.dump());
    }
    Reply issue() { return issue(platform->id); }
    /// The launch in which the hypervisor took that grant, up to the gate that it leaves open.
    void take(const Json& issued) {
        EvidenceBuilder& builder = platform->builder;
        const Bytes cose = *verifier::from_base64(issued["cose"].get<std::string>()), id = *verifier::from_hex(issued["grant_id"].get<std::string>());
        measure::GrantId grant_id;
        std::copy_n(id.begin(), grant_id.size(), grant_id.begin());
        const DeviceAddress address = builder.policy.devices[0].address;
        platform->relaunch();
        builder.gates.erase(builder.gates.begin()); // the NIC's is closed
        builder.record({.kind = LedgerKind::bootstrap_accepted, .vm_id = builder.vm_id(1), .device = address, .grant_id = grant_id,
                        .lease_seconds = 30, .grant_digest = measure::sha256(cose)});
        builder.record({.kind = LedgerKind::device_reset, .device = address, .reset_kind = measure::ResetKind::function_level, .worked = true});
        builder.record({.kind = LedgerKind::assigned, .vm_id = builder.vm_id(1), .device = address, .grant_id = grant_id});
        builder.record({.kind = LedgerKind::vm_started, .vm_id = builder.vm_id(1), .start_number = 1});
        builder.gates.clear();
        builder.open_gate(0, 1);
        builder.leases = {{grant_id, address, builder.vm_id(1), {}, 20'000}};
    }
    /// The claims of the answer's messages.
    std::vector<grant::Claims> claims(const Reply& reply) {
        const auto key = measure::P256PublicKey::create(verifier.grant_key.public_key());
        std::vector<grant::Claims> all;
        for (const Json& message : reply.body["grants"])
            all.push_back(grant::verify(*verifier::from_base64(message.get<std::string>()), key.value()).value().claims());
        return all;
    }
    void expect_taken_back(const Reply& reply, const std::string& word) {
        CHECK(reply.body["verdict"] == "affirming");
        CHECK(reply.words() == word + " " + word); // of the gate, and of the lease
        const auto sent = claims(reply);
        REQUIRE(sent.size() == 1);
        CHECK(sent[0].type == grant::Type::revocation);
        CHECK(sent[0].launch_id == platform->builder.launch_id);
        CHECK(sent[0].gate_nonce == measure::GateNonce{});
        CHECK(sent[0].id == platform->builder.leases[0].grant_id);
        CHECK(verifier.store->grants(10).empty());
    }
};

} // namespace

TEST_CASE("a bootstrap grant is for the device, VM and time that the policy allows, and names no launch", "[verifier][bootstrap]") {
    Scene scene;
    const Reply reply = scene.issue();
    REQUIRE(reply.status == 200);
    const store::AuditRow row = scene.verifier.store->audit_rows(1).at(0);
    CHECK(row.action == "bootstrap");
    CHECK(row.outcome == "issued");
    const auto key = measure::P256PublicKey::create(scene.verifier.grant_key.public_key());
    const grant::Claims claims = grant::verify(*verifier::from_base64(reply.body["cose"].get<std::string>()), key.value()).value().claims();
    CHECK(claims.type == grant::Type::bootstrap);
    CHECK(claims.launch_id == measure::LaunchId{});
    CHECK(claims.gate_nonce == measure::GateNonce{});
    CHECK(claims.vm_id == scene.platform->builder.vm_id(1));
    CHECK(claims.lease == 30);
    CHECK(claims.epoch == scene.platform->builder.policy.epoch);
    CHECK(verifier::to_hex(claims.platform_id) == scene.platform->id);
    CHECK(scene.issue(scene.platform->id, {{"lease_seconds", 5}}).body["lease_seconds"] == 5);
    for (const Json& bad : {Json{{"lease_seconds", 31}}, Json{{"lease_seconds", 0}}, Json{{"lease_seconds", "5"}}, Json{{"device", disk}},
                            Json{{"device", "0000:00:07.0"}}, Json{{"vm", "agent"}}, Json{{"vm", "unknown"}}, Json{{"more", 1}}})
        CHECK(scene.issue(scene.platform->id, bad).code() == "bootstrap");
    CHECK(scene.issue(scene.platform->id, {{"reference", std::string(64, '0')}}).code() == "reference_unknown");
}

TEST_CASE("a platform gets a bootstrap grant before it has enrolled if it is expected, and none when it is out of service", "[verifier][bootstrap]") {
    Scene scene;
    const std::string expected(64, 'e');
    CHECK(scene.issue(expected).code() == "platform_unknown");
    REQUIRE(scene.verifier.as_operator("POST", "/v1/inventory", Json{{"entries", {{{"platform_id", expected}}}}}.dump()).status == 200);
    CHECK(scene.issue(expected).status == 200);
    const char* state = GENERATE("quarantine", "retirement");
    REQUIRE(scene.verifier.as_operator("POST", "/v1/platforms/" + scene.platform->id + "/" + state).status == 200);
    CHECK(scene.issue().code() == "platform_state");
}

TEST_CASE("evidence confirms what a known bootstrap grant gave: an ordinary grant for the gate of this launch", "[verifier][bootstrap]") {
    Scene scene;
    const Json issued = scene.issue().body;
    scene.take(issued);
    const Reply reply = scene.verifier.attest(*scene.platform);
    CHECK(reply.body["verdict"] == "affirming");
    CHECK(reply.words() == "");
    const auto sent = scene.claims(reply);
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].type == grant::Type::grant);
    CHECK(sent[0].launch_id == scene.platform->builder.launch_id);
    CHECK(sent[0].id != scene.platform->builder.leases[0].grant_id);
    CHECK(sent[0].lease == 60); // no longer the bootstrap lease
    CHECK(scene.verifier.store->grants(10).size() == 1);
    bool told = false;
    for (const store::AuditRow& row : scene.verifier.store->audit_rows(10))
        told = told || row.detail.find("confirms bootstrap grant " + issued["grant_id"].get<std::string>()) != std::string::npos;
    CHECK(told);
}

TEST_CASE("a bootstrap grant that this verifier did not sign for this platform is not confirmed but taken back", "[verifier][bootstrap]") {
    Scene scene;
    Json issued = scene.issue().body;
    SECTION("its id is not known") { issued["grant_id"] = std::string(32, '7'); }
    SECTION("another message under a known id") { issued["cose"] = verifier::to_base64(Bytes{1, 2, 3}); }
    SECTION("another platform's") {
        const auto other = scene.verifier.platform('b');
        issued = scene.issue(other->id).body;
    }
    scene.take(issued);
    scene.expect_taken_back(scene.verifier.attest(*scene.platform), "bootstrap_unknown");
}

TEST_CASE("a bootstrap grant that an operator withdrew is not confirmed but taken back", "[verifier][bootstrap]") {
    Scene scene;
    const Json issued = scene.issue().body;
    const std::string at = "/v1/bootstrap/" + issued["grant_id"].get<std::string>() + "/withdrawal";
    REQUIRE(scene.verifier.with_certificate('2', "POST", at).status == 200);
    CHECK(scene.verifier.with_certificate('2', "POST", at).code() == "grant_unknown"); // once
    scene.take(issued);
    scene.expect_taken_back(scene.verifier.attest(*scene.platform), "bootstrap_withdrawn");
}

TEST_CASE("a device that the operator holds back from the VM is taken back from a bootstrap grant too", "[verifier][bootstrap]") {
    Scene scene;
    REQUIRE(scene.verifier.attest(*scene.platform).body["verdict"] == "affirming");
    const store::Grant ordinary = scene.verifier.store->grants_of(scene.platform->id).at(0);
    REQUIRE(ordinary.device == nic);
    REQUIRE(scene.verifier.as_operator("POST", "/v1/grants/" + ordinary.id + "/revocation").status == 200);
    scene.platform->builder.launch_id = filled_with<32>(0x78); // the next launch
    scene.take(scene.issue().body);
    const Reply reply = scene.verifier.attest(*scene.platform);
    CHECK(reply.words() == "revoked revoked");
    REQUIRE(scene.claims(reply).size() == 1);
    CHECK(scene.claims(reply)[0].type == grant::Type::revocation);
}

TEST_CASE("a platform out of service gets no word for its bootstrap grant: it lapses", "[verifier][bootstrap]") {
    Scene scene;
    const Json issued = scene.issue().body;
    const char* state = GENERATE("quarantine", "retirement");
    REQUIRE(scene.verifier.as_operator("POST", "/v1/platforms/" + scene.platform->id + "/" + state).status == 200);
    scene.take(issued);
    const Reply reply = scene.verifier.attest(*scene.platform);
    CHECK(reply.body["verdict"] == "contraindicated");
    CHECK(reply.body["grants"].empty());
}

TEST_CASE("a ledger in which the policy does not allow the bootstrap grant is refused", "[verifier][bootstrap]") {
    Scene scene;
    const Json issued = scene.issue().body;
    scene.platform->relaunch();
    EvidenceBuilder& builder = scene.platform->builder;
    builder.record({.kind = LedgerKind::bootstrap_accepted, .vm_id = builder.vm_id(1), .device = builder.policy.devices[1].address,
                    .grant_id = {}, .lease_seconds = 30}); // the disk has no bootstrap lease
    const Reply reply = scene.verifier.attest(*scene.platform);
    CHECK(reply.body["verdict"] == "contraindicated");
    CHECK(reply.words() == "ledger_custody");
}
