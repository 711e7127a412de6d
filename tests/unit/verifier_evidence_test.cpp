// SPDX-License-Identifier: Apache-2.0
// Evidence over the API: the good case with grants, renewals and revocation, and each lie with its own word.
#include <catch2/catch.hpp>

#include <set>

#include "tests/unit/verifier_fixture.hpp"

using namespace casemate;
using namespace casemate::test;

namespace {

struct Scene {
    TestVerifier verifier;
    std::unique_ptr<Platform> platform = verifier.platform('a');
    Scene() { REQUIRE(verifier.accept(*platform).status == 200); }
    Reply attest() { return verifier.attest(*platform); }

    grant::Claims claims(const Json& cose) {
        const auto key = measure::P256PublicKey::create(verifier.grant_key.public_key());
        const auto verified = grant::verify(*verifier::from_base64(cose.get<std::string>()), key.value());
        REQUIRE(verified.ok());
        return verified.value().claims();
    }
    /// The hypervisor accepted this grant: device 0 is assigned, its lease runs.
    void accept(const grant::Claims& granted) {
        platform->builder.grant_id = granted.id;
        platform->builder.assign(0, 1);
        platform->builder.gates.clear();
        platform->builder.leases = {{granted.id, granted.device, granted.vm_id, granted.gate_nonce, 50'000}};
    }
};

} // namespace

TEST_CASE("a policy with an attestation interval has its evidence as often, and leases no longer than that needs", "[verifier]") {
    Scene scene;
    scene.platform = scene.verifier.platform('b', 7);
    REQUIRE(scene.verifier.accept(*scene.platform).status == 200);
    const Reply reply = scene.attest();
    REQUIRE(reply.body["verdict"] == "affirming");
    CHECK(reply.body["next_in"] == 6); // 2/5 of it, whole seconds
    REQUIRE(reply.body["grants"].size() == 2);
    CHECK(scene.claims(reply.body["grants"][0]).lease == 17);
}

TEST_CASE("good evidence gets a grant for each gate, the same when asked again", "[verifier]") {
    Scene scene;
    const Reply reply = scene.attest();
    CHECK(reply.status == 200);
    CHECK(reply.words() == "");
    CHECK(reply.body["verdict"] == "affirming");
    CHECK(reply.body["next_in"] == 24);
    REQUIRE(reply.body["grants"].size() == 2);
    const grant::Claims claims = scene.claims(reply.body["grants"][0]);
    CHECK(claims.type == grant::Type::grant);
    CHECK(claims.launch_id == scene.platform->builder.launch_id);
    CHECK(claims.vm_id == scene.platform->builder.vm_id(1));
    CHECK(claims.device == scene.platform->builder.policy.devices[0].address);
    CHECK(claims.lease == 60);
    CHECK(claims.epoch == 7);
    CHECK(verifier::to_hex(claims.platform_id) == scene.platform->id);
    CHECK(claims.evidence_clock == scene.platform->builder.clock.clock);
    scene.platform->builder.clock.clock += 5000; // it was lost: the same grant, on the newer evidence
    const grant::Claims again = scene.claims(scene.attest().body["grants"][0]);
    CHECK(again.evidence_clock == claims.evidence_clock + 5000);
    grant::Claims same = again;
    same.evidence_clock = claims.evidence_clock;
    CHECK(same == claims);
    CHECK(scene.verifier.as_operator("GET", "/v1/grants").body["grants"].size() == 2);
    CHECK(scene.verifier.as_operator("GET", "/v1/results").body["results"].size() == 2);
    const Reply kept = scene.verifier.as_operator("GET", "/v1/platforms/" + scene.platform->id + "/evidence");
    CHECK(kept.body["verdict"] == "affirming"); // enough to appraise again
    CHECK(kept.body["evidence"]["challenge_id"] == kept.body["challenge_id"]);
}

TEST_CASE("without a reference, or with another one, nothing is affirmed", "[verifier]") {
    TestVerifier verifier;
    const auto platform = verifier.platform('a');
    CHECK(verifier.attest(*platform).words() == "reference_missing");
    const std::string id = verifier.accept(*platform).body["reference_id"];
    CHECK(verifier.attest(*platform).body["verdict"] == "affirming");
    CHECK(verifier.as_operator("DELETE", "/v1/reference/" + id).status == 200);
    const Reply reply = verifier.attest(*platform);
    CHECK(reply.words() == "reference_missing");
    CHECK(reply.body["grants"].empty());
}

TEST_CASE("each lie is refused with its own word", "[verifier]") {
    std::set<std::string> words;
    const auto refused = [&](const char* word, auto bend) {
        Scene scene;
        bend(scene.platform->builder);
        const Reply reply = scene.attest();
        CAPTURE(word);
        CHECK(reply.words() == word);
        CHECK(reply.body["verdict"] == "contraindicated");
        CHECK(reply.body["grants"].empty());
        CHECK(scene.verifier.store->grants(10).empty());
        words.insert(word);
    };
    static const SoftwareKey stranger;
    refused("signature_invalid", [](EvidenceBuilder& b) { b.signer = &stranger; });
    refused("quote_type", [](EvidenceBuilder& b) { b.type = 0x8014; });
    refused("pcr_selection", [](EvidenceBuilder& b) { b.selection.pop_back(); });
    refused("clock_unsafe", [](EvidenceBuilder& b) { b.clock.safe = false; });
    refused("log_malformed", [](EvidenceBuilder& b) { b.bend_log = [](Bytes log) { log.pop_back(); return log; }; });
    refused("log_replay", [](EvidenceBuilder& b) { b.tpm_events = b.log_events; b.log_events.pop_back(); });
    refused("event_type", [](EvidenceBuilder& b) { b.log_events[1].type = 5; });
    refused("event_unknown", [](EvidenceBuilder& b) {
        b.event(19, Bytes{1}, Bytes{0x14, 0x00, 0x53, 0x43, 0x01, 0x00, 0x00, 0x00, 0xa0});
    });
    refused("not_launched", [](EvidenceBuilder& b) { b.pcr_start = 0xff; });
    CHECK(words.size() == 9);
}

TEST_CASE("a reordered log does not replay", "[verifier]") {
    Scene scene;
    EvidenceBuilder& builder = scene.platform->builder;
    builder.tpm_events = builder.log_events;
    std::swap(builder.log_events[0], builder.log_events[1]);
    CHECK(scene.attest().words() == "log_replay event_order");
}

TEST_CASE("what differs from the reference is named", "[verifier]") {
    Scene scene;
    scene.platform->builder.hypervisor[0] ^= 1;
    scene.platform->relaunch();
    const Reply reply = scene.attest();
    CHECK(reply.words() == "hypervisor_differs");
    CHECK(reply.body["grants"].empty());
}

TEST_CASE("evidence counts once, for one challenge, of one platform, in time", "[verifier]") {
    Scene scene;
    const auto other = scene.verifier.platform('b');
    const Json challenge = scene.verifier.challenge(*scene.platform);
    CHECK(scene.verifier.submit(*other, other->evidence(challenge)).code() == "challenge_other_platform");
    const Json good = scene.platform->evidence(challenge);
    CHECK(scene.verifier.submit(*scene.platform, good).body["verdict"] == "affirming");
    CHECK(scene.verifier.submit(*scene.platform, good).code() == "challenge_used");

    Json replayed = good; // old quote under a new challenge
    replayed["challenge_id"] = scene.verifier.challenge(*scene.platform)["challenge_id"];
    CHECK(scene.verifier.submit(*scene.platform, replayed).words() == "nonce_mismatch");

    Json foreign = other->evidence(scene.verifier.challenge(*scene.platform)); // another platform's TPM
    CHECK(scene.verifier.submit(*scene.platform, foreign).words() == "signature_invalid");

    const Json late = scene.platform->evidence(scene.verifier.challenge(*scene.platform));
    scene.verifier.now += 120'000;
    CHECK(scene.verifier.submit(*scene.platform, late).code() == "challenge_expired");
    Json unknown = good;
    unknown["challenge_id"] = std::string(32, '0');
    CHECK(scene.verifier.submit(*scene.platform, unknown).code() == "challenge_unknown");
}

TEST_CASE("the TPM's clock never goes back between two pieces of evidence", "[verifier]") {
    Scene scene;
    CHECK(scene.attest().words() == "");
    scene.platform->builder.clock.resetCount -= 1;
    CHECK(scene.attest().words() == "clock_reset_count");
}

TEST_CASE("a renewal names the time of its evidence, whatever the agent says", "[verifier]") {
    Scene scene;
    const grant::Claims granted = scene.claims(scene.attest().body["grants"][0]);
    scene.accept(granted);
    scene.platform->builder.clock.clock += 1000;
    const Reply renewed = scene.attest();
    CHECK(renewed.words() == "");
    REQUIRE(renewed.body["grants"].size() == 1);
    const grant::Claims renewal = scene.claims(renewed.body["grants"][0]);
    CHECK(renewal.type == grant::Type::renewal);
    CHECK(renewal.id == granted.id);
    CHECK(renewal.evidence_clock == scene.platform->builder.clock.clock);
    CHECK(renewal.evidence_clock == granted.evidence_clock + 1000);
    scene.platform->builder.clock.clock += 1000;
    scene.platform->builder.leases[0].ms_left = 0; // the agent's word counts for nothing
    CHECK(scene.claims(scene.attest().body["grants"][0]).evidence_clock == granted.evidence_clock + 2000);
    scene.platform->builder.leases[0].grant_id = {};
    CHECK(scene.attest().words() == "lease_not_held");
}

TEST_CASE("a revoked grant is ordered back, and stays withheld until released", "[verifier]") {
    Scene scene;
    const Reply first = scene.attest();
    const grant::Claims granted = scene.claims(first.body["grants"][0]);
    const std::string id = verifier::to_hex(granted.id);
    const Reply revoked = scene.verifier.as_operator("POST", "/v1/grants/" + id + "/revocation", "{}");
    CHECK(revoked.status == 200);
    CHECK(scene.verifier.as_operator("POST", "/v1/grants/" + id + "/revocation").code() == "already_revoked");
    CHECK(scene.claims(revoked.body["revocation"]).type == grant::Type::revocation);
    const std::string orders = "/v1/platforms/" + scene.platform->id + "/orders";
    const Reply ordered = scene.verifier.call("GET", orders, scene.platform->token);
    CHECK(ordered.body["revocations"] == Json::array({revoked.body["revocation"]}));

    const Reply withheld = scene.attest();
    CHECK(withheld.words() == "revoked");
    CHECK(withheld.body["grants"].size() == 1); // the other device
    scene.accept(granted);
    CHECK(scene.attest().words() == "revoked"); // no renewal either

    CHECK(scene.verifier.as_operator("POST", "/v1/grants/" + id + "/release").status == 200);
    scene.platform->builder.nonces = 40; // the device came back: a new gate
    scene.platform->relaunch();
    CHECK(scene.attest().body["grants"].size() == 2);
    scene.verifier.now += 121'000;
    CHECK(scene.verifier.call("GET", orders, scene.platform->token).body["revocations"].empty());
}

TEST_CASE("an inconsistent reference is refused whole", "[verifier]") {
    TestVerifier verifier;
    const auto platform = verifier.platform('a');
    const Json good = TestVerifier::reference(*platform);
    const auto refused = [&](auto bend) {
        Json document = good;
        bend(document);
        CHECK(verifier.as_operator("POST", "/v1/reference", document.dump()).code() == "reference");
    };
    refused([](Json& d) { d["version"] = 2; });
    refused([](Json& d) { d.erase("slb"); });
    refused([](Json& d) { d["slb"]["digests"].erase("sha256"); });
    refused([](Json& d) { d["slb"]["digests"]["sha256"] = "00"; });
    refused([](Json& d) { d["owner_key"] = std::string(130, '0'); });
    refused([](Json& d) { d["policy"]["epoch"] = 8; });
    refused([](Json& d) { d["policy"]["digests"]["sha256"] = std::string(64, '0'); });
    refused([](Json& d) { d["vms"][1]["vm_id"] = std::string(64, '0'); });
    refused([](Json& d) { d["vms"].erase(0); });
    refused([](Json& d) { std::swap(d["vms"][0], d["vms"][1]); });
    const Platform stranger{verifier.owner, new_signer()}; // a policy that names another verifier
    CHECK(verifier.accept(stranger).code() == "reference");
    CHECK(verifier.service->reference_count() == 0);
    CHECK(verifier.accept(*platform).status == 200);
}
