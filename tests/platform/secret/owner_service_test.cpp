// SPDX-License-Identifier: Apache-2.0
// casemate provision with the attestation service, as its user runs both: from an empty directory to a platform that is expected and has
// its bootstrap grant, and back.
#include "tests/platform/secret/launch_reference.hpp"
#include "attest/keystore/open_key.hpp"
#include "tests/platform/verifier/replica.hpp"
#include "tests/platform/verifier/signing_devices.hpp"
#include "tests/unit/run_program.hpp"

#include <sys/stat.h>

using namespace casemate;
using namespace casemate::test;

namespace {

class Scene {
public:
    /// Whose policy it is: the key's place, and its secret's.
    explicit Scene(const std::string& owner = {}, const std::string& secret = {}) {
        ::unsetenv("CASEMATE_URL");
        deployment_.owner = keystore::open_key(owner.empty() ? key("owner.pem") : owner, secret).value();
        const std::string reference = secret_test::reference_of(*deployment_.platform('a')).dump();
        std::ofstream{path("reference.json")} << reference;
        service = std::make_unique<Replica<OnSqlite>>(deployment_);
        REQUIRE(service->as_operator("POST", "/v1/reference", reference).status == 200);
    }
    [[nodiscard]] std::string path(const char* name) const { return deployment_.directory / name; }
    [[nodiscard]] std::string key(const char* name) const { return deployment_.keys / name; }
    [[nodiscard]] Ran run(const std::string& arguments) const {
        return run_program(std::string{CASEMATE_OWNER} + " provision --platform " + path("p") + " " + arguments);
    }
    [[nodiscard]] std::string url() const { return "https://127.0.0.1:" + std::to_string(service->port()); }
    [[nodiscard]] static std::string service_at(const std::string& url, const std::string& authority, const std::string& token) {
        return " --url " + url + " --ca " + authority + " --token " + token;
    }
    [[nodiscard]] std::string there() const { return service_at(url(), key("ca.pem"), key("operator.token")); }
    [[nodiscard]] std::string bootstrap() const {
        return there() + " --bootstrap 00:03.0=net0 --owner-key " + key("owner.pem") + " --reference " + path("reference.json");
    }
    [[nodiscard]] Json report(const std::string& arguments) const {
        const Ran ran = run(arguments + " --json");
        INFO(ran.output);
        REQUIRE(ran.status == 0);
        return ran.json();
    }
    void refused(const std::string& arguments, const char* words) const {
        const Ran ran = run(arguments);
        INFO(ran.output);
        CHECK(ran.status == 1);
        CHECK(ran.says(words));
    }

private:
    Deployment<OnSqlite> deployment_;

public:
    std::unique_ptr<Replica<OnSqlite>> service;
};

int count(const Json& report, const std::string& outcome) {
    int times = 0;
    for (const Json& step : report["steps"]) times += step["outcome"] == outcome ? 1 : 0;
    return times;
}

} // namespace

TEST_CASE("casemate provision tells the service of the platform, puts its bootstrap grant into the TPM, and takes both back", "[owner-service]") {
    Scene scene;
    scene.refused("--emulated --bootstrap 00:03.0=net0", "say where it is (--url)");
    scene.refused("--emulated" + scene.there() + " --bootstrap nic=net0", "as in 0000:00:03.0=net0");
    CHECK_FALSE(std::filesystem::exists(scene.path("p"))); // nothing was begun
    REQUIRE(scene.run("--emulated").status == 0);

    const Json plan = scene.report("--dry-run" + scene.bootstrap());
    CHECK(count(plan, "to do") == 2);
    const std::string id = plan["platform"], entry = "/v1/inventory/" + id, grants = "/v1/platforms/" + id + "/bootstrap";
    CHECK(scene.service->as_operator("GET", entry).status == 404);

    const Json first = scene.report("--label 'rack 7'" + scene.bootstrap());
    CHECK(count(first, "done") == 2);
    CHECK(scene.service->as_operator("GET", entry).body["label"] == "rack 7");
    CHECK(scene.service->as_operator("GET", grants).body["bootstrap_grants"].size() == 1);
    CHECK(count(scene.report(scene.bootstrap()), "was done") == 5);
    CHECK(run_program(std::string{CASEMATE_OWNER} + " bootstrap show --platform " + scene.path("p")).says("is in the TPM"));

    CHECK(count(scene.report("--undo --dry-run" + scene.there()), "to undo") == 4);
    CHECK(count(scene.report("--undo" + scene.there()), "undone") == 4);
    CHECK(scene.service->as_operator("GET", entry).status == 404);
    CHECK(scene.service->as_operator("GET", grants).body["bootstrap_grants"][0]["withdrawn_at"] > 0);
    const std::string fresh = scene.path("new"), tpm = scene.path("p") + "/tpm"; // a dry run of a platform that has no directory yet makes none
    const Ran plan_of_new = run_program(std::string{CASEMATE_OWNER} + " provision --platform " + fresh + " --tpm " + tpm + " --dry-run --json" + scene.bootstrap());
    REQUIRE(plan_of_new.status == 0);
    CHECK(count(plan_of_new.json(), "to do") == 4);
    CHECK_FALSE(std::filesystem::exists(fresh));
    CHECK(scene.run(scene.bootstrap()).status == 0);
}

TEST_CASE("the owner's key of a bootstrap grant may be in a token", "[owner-service]") {
    const Token token;
    const Scene scene{Token::uri(), token.pin};
    const std::string wish = "--emulated" + scene.there() + " --bootstrap 00:03.0=net0 --reference " + scene.path("reference.json") + " --owner-key '" + Token::uri() + "'";
    scene.refused(wish, "no such elliptic-curve private key"); // a token shows it to whoever logs in
    CHECK(count(scene.report(wish + " --owner-key-secret " + token.pin.string()), "done") >= 2);
    CHECK(count(scene.report(wish + " --owner-key-secret " + token.pin.string()), "was done") == 5);
}

TEST_CASE("a service that is not there, or refuses, ends provisioning with its sentence; what was done before stays", "[owner-service]") {
    Scene scene;
    ::chmod(scene.key("operator.token").c_str(), 0644);
    scene.refused("--emulated" + scene.there(), "chmod go-rwx it");
    ::chmod(scene.key("operator.token").c_str(), 0600);
    scene.refused(scene.service_at("https://127.0.0.1:1", scene.key("ca.pem"), scene.key("operator.token")), "no answer from");
    scene.refused(scene.service_at(scene.url(), scene.key("operator-ca.pem"), scene.key("operator.token")), "no answer from"); // another's authority
    scene.refused("--url https://127.0.0.1:1", "--ca its authority");
    const Json wanted{{"name", "vera"}, {"role", "viewer"}, {"lifetime_seconds", 600}};
    std::ofstream{scene.path("viewer")} << scene.service->as_operator("POST", "/v1/tokens", wanted.dump()).body["token"].get<std::string>();
    ::chmod(scene.path("viewer").c_str(), 0600);
    scene.refused(scene.service_at(scene.url(), scene.key("ca.pem"), scene.path("viewer")), "refused (role)");
    CHECK(count(scene.report("--dry-run"), "was done") == 3);
}
