// SPDX-License-Identifier: Apache-2.0
// Which platforms belong to the fleet: enrolment with a software EK and its certificates, the inventory, approval of TPMs
// without a certificate, quarantine, retirement and enrolment after a TPM was cleared.
#include <catch2/catch.hpp>

#include "tests/unit/software_ek.hpp"
#include "tests/unit/verifier_fixture.hpp"

using namespace casemate;
using namespace casemate::test;

namespace {

struct Scene {
    explicit Scene(const verifier::Settings& settings = {}) : verifier{authority.authorities(), settings} {}

    Reply begin(const Bytes& certificate) {
        return verifier.call("POST", "/v1/enrolments", "", ek.offer(certificate, device.ak_public()).dump());
    }
    Reply finish(const Json& begun) {
        const Bytes secret = ek.activate(begun, device.ak_public());
        return verifier.call("POST", "/v1/enrolments/" + begun["enrolment_id"].get<std::string>() + "/activation", "",
                             Json{{"secret", verifier::to_base64(secret)}}.dump());
    }
    /// The answer of the last step that was reached.
    Reply enrol(const Bytes& certificate) {
        const Reply begun = begin(certificate);
        if (begun.status != 200) return begun;
        const Reply done = finish(begun.body);
        if (done.status == 200) {
            device.id = done.body["platform_id"];
            device.token = done.body["token"];
        }
        return done;
    }
    Reply owner(const std::string& method, const std::string& path, const std::string& body = "") {
        return verifier.with_certificate('3', method, path, body);
    }
    std::string at(const std::string& rest) const { return "/v1/platforms/" + ek.platform_id() + rest; }
    Bytes good() const { return authority.certificate(ek); }

    TestAuthority authority;
    TestVerifier verifier;
    SoftwareEk ek;
    Platform device{verifier.owner, verifier.grant_key};
};

} // namespace

TEST_CASE("an EK with a certificate of a trusted authority enrols", "[verifier][fleet]") {
    Scene scene;
    CHECK(scene.enrol(scene.good()).body["platform_id"] == scene.ek.platform_id());
    REQUIRE(scene.verifier.accept(scene.device).status == 200);
    CHECK(scene.verifier.attest(scene.device).body["verdict"] == "affirming");
    CHECK(scene.verifier.as_operator("GET", "/v1/platforms").body["platforms"][0]["ek_certified"] == true);
}

TEST_CASE("an EK certificate of a foreign, expired or other kind is refused", "[verifier][fleet]") {
    Scene scene;
    const TestAuthority foreign;
    CHECK(scene.enrol(foreign.certificate(scene.ek)).code() == "ek_certificate_path");
    CHECK(scene.enrol(scene.authority.certificate(scene.ek, {"old", "2.23.133.8.1", -7200, -3600})).code() == "ek_certificate_path");
    CHECK(scene.enrol(scene.authority.certificate(scene.ek, {"early", "2.23.133.8.1", 3600, 7200})).code() == "ek_certificate_path");
    CHECK(scene.enrol(scene.authority.certificate(scene.ek, {"web", "serverAuth"})).code() == "ek_certificate_purpose");
    CHECK(scene.enrol(scene.authority.certificate(SoftwareEk{})).code() == "ek_certificate_other_key");
    CHECK(scene.verifier.store->platforms().empty());
}

TEST_CASE("a TPM without a certificate enrols only when an owner approved it", "[verifier][fleet]") {
    Scene scene;
    const Reply refused = scene.enrol({});
    CHECK(refused.code() == "ek_certificate_missing");
    CHECK(refused.body["error"]["detail"].get<std::string>().find(scene.ek.platform_id()) != std::string::npos);
    CHECK(scene.verifier.with_certificate('2', "POST", scene.at("/approval")).code() == "role");
    CHECK(scene.enrol({}).code() == "ek_certificate_missing");
    CHECK(scene.owner("POST", scene.at("/approval")).status == 200);
    CHECK(scene.enrol({}).status == 200);
    CHECK(scene.verifier.as_operator("GET", "/v1/platforms").body["platforms"][0]["ek_certified"] == false);
    CHECK(scene.owner("DELETE", "/v1/inventory/" + scene.ek.platform_id()).status == 200);
    CHECK(scene.enrol({}).code() == "ek_certificate_missing");
    // An approval is for a TPM without a certificate, not for one that shows a bad one.
    CHECK(scene.owner("POST", scene.at("/approval")).status == 200);
    CHECK(scene.enrol(TestAuthority{}.certificate(scene.ek)).code() == "ek_certificate_path");
}

TEST_CASE("with --inventory-only a platform must be listed, however good its certificate", "[verifier][fleet]") {
    verifier::Settings settings;
    settings.inventory_only = true;
    Scene scene{settings};
    CHECK(scene.enrol(scene.good()).code() == "not_in_inventory");
    const Json entries{{"entries", {{{"platform_id", scene.ek.platform_id()}, {"label", "rack 7, unit 3"}}}}};
    CHECK(scene.owner("POST", "/v1/inventory", entries.dump()).body["imported"] == 1);
    CHECK(scene.owner("GET", "/v1/inventory").body["inventory"][0]["enrolled"] == false);
    CHECK(scene.owner("GET", "/v1/inventory/" + scene.ek.platform_id()).body == scene.owner("GET", "/v1/inventory").body["inventory"][0]);
    CHECK(scene.owner("GET", "/v1/inventory/" + std::string(64, 'c')).code() == "inventory_unknown");
    CHECK(scene.enrol({}).code() == "ek_certificate_missing"); // listed, but not without a certificate
    const Reply begun = scene.begin(scene.good());
    REQUIRE(begun.status == 200);
    CHECK(scene.owner("DELETE", "/v1/inventory/" + scene.ek.platform_id()).status == 200);
    CHECK(scene.finish(begun.body).code() == "not_in_inventory"); // unlisted meanwhile
    CHECK(scene.owner("POST", "/v1/inventory", entries.dump()).status == 200);
    CHECK(scene.enrol(scene.good()).status == 200);
    CHECK(scene.owner("GET", "/v1/inventory").body["inventory"][0]["enrolled"] == true);
    CHECK(scene.owner("GET", "/v1/inventory").body["inventory"][0]["added_by"] == "olga");
}

TEST_CASE("an import is read strictly and is all or none", "[verifier][fleet]") {
    Scene scene;
    const std::string a(64, 'a'), b(64, 'b');
    const auto detail = [&](const Json& entries) {
        const Reply reply = scene.owner("POST", "/v1/inventory", Json{{"entries", entries}}.dump());
        return reply.status == 200 ? "good" : reply.body["error"]["detail"].get<std::string>();
    };
    CHECK(detail({{{"platform_id", a}}, {{"platform_id", "b"}}}).find("/entries/1/platform_id: must be 64") == 0);
    CHECK(detail({{{"platform_id", a}}, {{"platform_id", a}}}) == "/entries/1/platform_id: occurs twice");
    CHECK(detail({{{"platform_id", a}, {"colour", 1}}}) == "/entries/0/colour: unknown member");
    CHECK(detail({{{"platform_id", a}, {"label", "a\nb"}}}).find("/entries/0/label") == 0);
    CHECK(detail({{{"platform_id", a}, {"label", std::string(65, 'x')}}}).find("/entries/0/label") == 0);
    CHECK(detail({{{"platform_id", a}, {"without_certificate", 1}}}).find("/entries/0/without_certificate") == 0);
    CHECK(detail(Json::array()).find("/entries: must be a list") == 0);
    CHECK(detail(Json::array({1})) == "/entries/0: must be an object");
    CHECK(scene.verifier.store->inventory(10).empty());
    const std::string label = "x'); DROP TABLE inventory; --";
    CHECK(detail({{{"platform_id", a}, {"label", label}}, {{"platform_id", b}, {"without_certificate", true}}}) == "good");
    CHECK(scene.verifier.store->inventory_entry(a)->label == label);
    CHECK(scene.verifier.store->inventory_entry(b)->without_certificate);
    CHECK(scene.owner("DELETE", "/v1/inventory/" + std::string(64, 'c')).code() == "inventory_unknown");
}

TEST_CASE("a quarantined platform loses its grants at once and gets none until reinstated", "[verifier][fleet]") {
    Scene scene;
    REQUIRE(scene.enrol(scene.good()).status == 200);
    REQUIRE(scene.verifier.accept(scene.device).status == 200);
    REQUIRE(scene.verifier.attest(scene.device).body["grants"].size() == 2);
    const Reply taken = scene.verifier.with_certificate('2', "POST", scene.at("/quarantine"));
    CHECK(taken.body["revoked_grants"] == 2);
    CHECK(scene.verifier.call("GET", scene.at("/orders"), scene.device.token).body["revocations"].size() == 2);
    const Reply refused = scene.verifier.attest(scene.device);
    CHECK(refused.status == 200);
    CHECK(refused.body["verdict"] == "contraindicated");
    CHECK(refused.words() == "platform_quarantined");
    CHECK(refused.body["grants"].empty());
    CHECK(scene.verifier.with_certificate('2', "POST", scene.at("/quarantine")).code() == "platform_state");
    CHECK(scene.verifier.with_certificate('2', "POST", scene.at("/reinstatement")).code() == "role");
    CHECK(scene.owner("POST", scene.at("/reinstatement")).body["state"] == "active");
    CHECK(scene.owner("POST", scene.at("/reinstatement")).code() == "platform_state");
    scene.device.builder.nonces = 40; // the devices came back: new gates
    scene.device.relaunch();
    CHECK(scene.verifier.attest(scene.device).body["grants"].size() == 2);
    const Json detail = scene.verifier.with_certificate('1', "GET", scene.at("/detail")).body;
    CHECK(detail["state"] == "active");
    CHECK(detail["grants"].size() == 4);
}

TEST_CASE("a retired platform gets nothing, enrols no more, and no operator brings it back", "[verifier][fleet]") {
    Scene scene;
    REQUIRE(scene.enrol(scene.good()).status == 200);
    REQUIRE(scene.verifier.accept(scene.device).status == 200);
    REQUIRE(scene.verifier.attest(scene.device).body["verdict"] == "affirming");
    const Reply begun = scene.begin(scene.good());
    CHECK(scene.verifier.with_certificate('2', "POST", scene.at("/retirement")).code() == "role");
    CHECK(scene.owner("POST", scene.at("/retirement")).body["revoked_grants"] == 2);
    CHECK(scene.verifier.attest(scene.device).words() == "platform_retired");
    CHECK(scene.finish(begun.body).code() == "platform_retired");
    CHECK(scene.enrol(scene.good()).code() == "platform_retired");
    CHECK(scene.verifier.with_certificate('2', "POST", scene.at("/quarantine")).code() == "platform_state");
    CHECK(scene.owner("POST", scene.at("/retirement")).code() == "platform_state");
    CHECK(scene.owner("POST", "/v1/platforms/" + std::string(64, 'c') + "/retirement").code() == "platform_unknown");
    CHECK(scene.owner("POST", scene.at("/reinstatement")).status == 200);
    CHECK(scene.enrol(scene.good()).status == 200);
}

TEST_CASE("grants whose lease is long over are not revoked again", "[verifier][fleet]") {
    Scene scene;
    REQUIRE(scene.enrol(scene.good()).status == 200);
    REQUIRE(scene.verifier.accept(scene.device).status == 200);
    REQUIRE(scene.verifier.attest(scene.device).body["grants"].size() == 2);
    scene.verifier.now += 120'000;
    CHECK(scene.owner("POST", scene.at("/quarantine")).body["revoked_grants"] == 0);
}

TEST_CASE("after a TPM was cleared the platform enrols again only when an operator allowed it", "[verifier][fleet]") {
    Scene scene;
    REQUIRE(scene.enrol(scene.good()).status == 200);
    REQUIRE(scene.verifier.accept(scene.device).status == 200);
    scene.device.builder.clock = {900'000, 50, 3, true};
    REQUIRE(scene.verifier.attest(scene.device).body["verdict"] == "affirming");
    scene.device.builder.key = SoftwareKey{}; // the cleared TPM makes another AK, and its clock starts again
    scene.device.builder.clock = {1'000, 51, 0, true};
    CHECK(scene.enrol(scene.good()).code() == "identity_bound");
    CHECK(scene.verifier.with_certificate('1', "POST", scene.at("/rebinding")).code() == "role");
    CHECK(scene.verifier.with_certificate('2', "POST", scene.at("/rebinding")).status == 200);
    CHECK(scene.enrol(scene.good()).status == 200);
    CHECK(scene.verifier.attest(scene.device).body["verdict"] == "affirming");
    scene.device.builder.key = SoftwareKey{};
    CHECK(scene.enrol(scene.good()).code() == "identity_bound"); // it was allowed once
}
