// SPDX-License-Identifier: Apache-2.0
// What the page is told: the chain of trust of good and of bad evidence, searching the audit trail, and who the caller is.
#include <catch2/catch.hpp>

#include "tests/unit/verifier_fixture.hpp"

using namespace casemate;
using namespace casemate::test;

namespace {

struct Scene {
    TestVerifier verifier;
    std::unique_ptr<Platform> platform = verifier.platform('a');

    Scene() { REQUIRE(verifier.accept(*platform).status == 200); }
    Json chain() {
        const Reply reply = verifier.as_operator("GET", "/v1/platforms/" + platform->id + "/chain");
        REQUIRE(reply.status == 200);
        return reply.body;
    }
    std::string links() {
        std::string all;
        const Json answer = chain();
        for (const Json& link : answer["links"]) all += (all.empty() ? "" : " ") + link["status"].get<std::string>();
        return all;
    }
    Json search(const Json& query) {
        const Reply reply = verifier.as_operator("POST", "/v1/audit/search", query.dump());
        REQUIRE(reply.status == 200);
        return reply.body;
    }
};

} // namespace

TEST_CASE("without evidence nothing is proved", "[verifier][chain]") {
    Scene scene;
    const Json chain = scene.chain();
    CHECK(chain["verdict"] == "");
    CHECK(chain["explanation"] == "This platform has given no evidence yet.");
    CHECK(scene.links() == "unknown unknown unknown unknown unknown unknown unknown");
    CHECK(scene.verifier.as_operator("GET", "/v1/platforms/" + std::string(64, 'f') + "/chain").code() == "platform_unknown");
}

TEST_CASE("affirming evidence proves every link, names the VMs and says who may hold which device", "[verifier][chain]") {
    Scene scene;
    REQUIRE(scene.verifier.as_operator("POST", "/v1/inventory", Json{{"entries", {{{"platform_id", scene.platform->id}, {"label", "rack 7"}}}}}.dump()).status == 200);
    REQUIRE(scene.verifier.attest(*scene.platform).body["verdict"] == "affirming");
    const Json chain = scene.chain();
    CHECK(scene.links() == "good good good good good good good");
    CHECK(chain["label"] == "rack 7");
    CHECK(chain["launch"]["launch_id"] == verifier::to_hex(scene.platform->builder.launch_id));
    CHECK(chain["launch"]["policy_epoch"] == 7);
    REQUIRE(chain["vms"].size() == 2);
    CHECK(chain["vms"][1]["name"] == "net0");
    CHECK(chain["vms"][1]["vm_id"] == verifier::to_hex(scene.platform->builder.vm_id(1)));
    CHECK(chain["vms"][0]["running"] == true);
    CHECK(chain["vms"][1]["running"] == false); // waits for its devices
    REQUIRE(chain["devices"].size() == 2);
    CHECK(chain["devices"][0] == Json{{"device", "0000:00:03.0"}, {"id", "8086:10d3"}, {"state", "quarantined"},
                                      {"may_hold", {verifier::to_hex(scene.platform->builder.vm_id(1))}}});
    CHECK_FALSE(chain.contains("first"));
}

TEST_CASE("the first component that differs breaks its link and no other", "[verifier][chain]") {
    Scene scene;
    EvidenceBuilder& builder = scene.platform->builder;
    const auto attest = [&] {
        scene.platform->relaunch();
        const Reply reply = scene.verifier.attest(*scene.platform);
        REQUIRE(reply.body["verdict"] == "contraindicated");
        CHECK(scene.chain()["explanation"] == reply.body["explanation"]);
        CHECK(scene.chain()["first"]["code"] == reply.body["reasons"][0]["code"]);
    };
    SECTION("a hypervisor") {
        builder.hypervisor.push_back(1);
        attest();
        CHECK(scene.links() == "good good good differs good good unknown");
        CHECK(scene.chain()["first"]["component"] == "hypervisor");
        CHECK(scene.chain()["first"]["expected"].get<std::string>().size() == 64);
        CHECK(scene.chain()["first"]["meaning"] == "the hypervisor is not the accepted one");
    }
    SECTION("a secure loader") {
        builder.slb.push_back(1);
        attest();
        CHECK(scene.links() == "good good differs good good good unknown");
    }
    SECTION("a log that does not replay") {
        scene.platform->relaunch();
        builder.tpm_events = builder.log_events;
        builder.tpm_events.pop_back();
        REQUIRE(scene.verifier.attest(*scene.platform).body["reasons"][0]["code"] == "log_replay");
        CHECK(scene.links() == "good differs unknown unknown unknown unknown unknown");
        CHECK_FALSE(scene.chain().contains("launch")); // what it claims is not shown as measured
        CHECK(scene.chain()["vms"].empty());
    }
    CHECK(scene.chain()["devices"].empty());
}

TEST_CASE("no accepted set: what was launched is not called good", "[verifier][chain]") {
    TestVerifier verifier;
    const auto platform = verifier.platform('a');
    REQUIRE(verifier.attest(*platform).words() == "reference_missing");
    const Json chain = verifier.as_operator("GET", "/v1/platforms/" + platform->id + "/chain").body;
    std::string all;
    for (const Json& link : chain["links"]) all += link["status"].get<std::string>() + " ";
    CHECK(all == "good good differs unknown unknown unknown unknown ");
}

TEST_CASE("a platform out of service has a sentence and no links", "[verifier][chain]") {
    Scene scene;
    REQUIRE(scene.verifier.attest(*scene.platform).status == 200);
    REQUIRE(scene.verifier.as_operator("POST", "/v1/platforms/" + scene.platform->id + "/quarantine").status == 200);
    REQUIRE(scene.verifier.attest(*scene.platform).words() == "platform_quarantined");
    CHECK(scene.chain()["explanation"].get<std::string>().find("quarantined") != std::string::npos);
    CHECK(scene.links() == "unknown unknown unknown unknown unknown unknown unknown");
}

TEST_CASE("the trail is searched for all words, newest first, page by page", "[verifier][chain]") {
    Scene scene;
    store::Store& store = *scene.verifier.store;
    const auto unit = store.begin();
    for (int i = 0; i < 25'000; ++i)
        store.audit({i, i % 1000 == 0 ? "Alice" : "bob", "test", std::to_string(i), "done", i % 2 == 0 ? "even 100%" : "odd_"});
    unit->commit();
    const std::int64_t newest = store.audit_head().sequence;
    const Json first = scene.search({{"words", "ALICE even"}});
    REQUIRE(first["audit"].size() == 20); // a request looks at 20,000 rows
    CHECK(first["audit"][0]["object"] == "24000");
    CHECK(first["audit"][0]["sequence"].get<std::int64_t>() == newest - 999);
    CHECK(first["next_before"].get<std::int64_t>() == newest + 1 - 20'000);
    const Json second = scene.search({{"words", "alice EVEN"}, {"before", first["next_before"]}});
    CHECK(second["audit"].size() == 5);
    CHECK(second["audit"].back()["object"] == "0");
    CHECK(second["next_before"] == 0);
    // Pages join without gap or doubling.
    std::int64_t before = newest + 1;
    for (std::int64_t expected = newest; before != 0;) {
        const Json page = scene.search({{"before", before}, {"limit", 200}});
        for (const Json& row : page["audit"]) CHECK(row["sequence"] == expected--);
        before = page["next_before"];
        if (before == 0) CHECK(expected == 0);
        else if (before < newest - 1000) break;
    }
    CHECK(scene.search({{"words", "no such words"}, {"before", 100}})["next_before"] == 0);
    for (const char* literal : {"100% alice", "odd_", "%", "_"}) CHECK(scene.search({{"words", literal}, {"limit", 1}})["audit"].size() == 1);
    CHECK(scene.search({{"words", "eve_"}})["audit"].empty()); // no pattern
    CHECK(scene.search({{"words", "a'; DROP TABLE audit; --"}})["audit"].empty());
}

TEST_CASE("a search that is not one is refused", "[verifier][chain]") {
    Scene scene;
    for (const char* bad : {R"({"word":"x"})", R"({"words":1})", R"({"before":0})", R"({"before":-1})", R"({"before":"1"})", R"({"limit":201})", R"({"limit":0})", R"({"limit":1.5})"})
        CHECK(scene.verifier.as_operator("POST", "/v1/audit/search", bad).code() == "search");
    CHECK(scene.verifier.as_operator("POST", "/v1/audit/search", Json{{"words", std::string(129, 'x')}}.dump()).code() == "search");
    CHECK(scene.search({{"before", 999'999'999'999}})["audit"].size() > 0);
}

TEST_CASE("the session says who calls", "[verifier][chain]") {
    Scene scene;
    scene.verifier.now = 77'000;
    CHECK(scene.verifier.as_operator("GET", "/v1/session").body == Json{{"name", "operator"}, {"role", "owner"}, {"now", 77'000}});
    CHECK(scene.verifier.with_certificate('1', "GET", "/v1/session").body["role"] == "viewer");
    CHECK(scene.verifier.call("GET", "/v1/session", "").code() == "token_missing");
}
