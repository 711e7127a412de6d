// SPDX-License-Identifier: Apache-2.0
// casemate-attest as a process against a running service: what it prints, its exit status, and that nothing is done on the
// word of a file that others can read or of a service that is not the pinned one. Files of platforms, read strictly.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include <sys/stat.h>
#include <sys/wait.h>

#include "attest/cli/command.hpp"
#include "attest/cli/files.hpp"
#include "attest/cli/inventory_file.hpp"
#include "tests/unit/run_program.hpp"
#include "tests/unit/software_ek.hpp"
#include "tests/unit/verifier_fixture.hpp"
#include "tests/unit/verifier_server.hpp"

using namespace casemate;
using namespace casemate::test;

namespace {

Ran run(const std::string& arguments) { return run_program(std::string{CASEMATE_ATTEST} + " " + arguments); }

struct Scene {
    Scene() {
        verifier.now = verifier::system_now();
        platform = verifier.platform('a');
        REQUIRE(verifier.accept(*platform).status == 200);
        verifier::HttpOptions options;
        options.client_authority = authority.file();
        server = std::make_unique<TestServer>([this](const verifier::HttpRequest& request) { return verifier.service->answer(request); }, options);
        write("token", operator_token, 0600);
        write("reference.json", TestVerifier::reference(*platform).dump());
    }
    std::string write(const char* name, const std::string& text, mode_t mode = 0644) {
        std::ofstream{verifier.directory / name, std::ios::binary} << text << "\n";
        ::chmod((verifier.directory / name).c_str(), mode);
        return path(name);
    }
    [[nodiscard]] std::string path(const char* name) const { return (verifier.directory / name).string(); }
    [[nodiscard]] std::string where() const { return " --url " + server->url() + " --ca " + server->authority().string(); }
    /// As the owner.
    Ran owner(const std::string& arguments) const { return run(arguments + where() + " --token " + path("token")); }

    TestAuthority authority;
    TestVerifier verifier;
    std::unique_ptr<Platform> platform;
    std::unique_ptr<TestServer> server;
};

} // namespace

TEST_CASE("the command line lists, shows and takes platforms out of service", "[cli]") {
    Scene scene;
    REQUIRE(scene.verifier.attest(*scene.platform).body["grants"].size() == 2);
    const std::string id = scene.platform->id;
    const Ran list = scene.owner("platform list");
    CHECK(list.status == 0);
    CHECK(list.says("PLATFORM"));
    CHECK(list.says(id));
    CHECK(scene.owner("platform list --json").json()["platforms"][0]["platform_id"] == id);
    CHECK(scene.owner("platform show " + id).says("0000:00:03.0"));
    const Ran taken = scene.owner("platform quarantine " + id);
    CHECK(taken.status == 0);
    CHECK(taken.says("2 grants revoked"));
    CHECK(scene.owner("platform show --json " + id).json()["state"] == "quarantined");
    CHECK(scene.owner("platform reinstate " + id).status == 0);
    CHECK(scene.owner("platform rebind " + id).status == 0);
    CHECK(scene.owner("platform retire " + id).status == 0);
    const Ran again = scene.owner("platform retire " + id);
    CHECK(again.status == 1);
    CHECK(again.says("refused (platform_state): the platform is retired already."));
    CHECK(scene.owner("platform show " + std::string(64, 'f')).says("The list command shows what there is."));
    CHECK(scene.owner("platform approve " + std::string(64, 'e')).status == 0);
    CHECK(scene.owner("platform expected").says(std::string(64, 'e')));
}

TEST_CASE("the command line shows a platform's own report and hands orders and secrets on to it", "[cli][mail]") {
    Scene scene;
    const std::string id = scene.platform->id, at = "/v1/platforms/" + id;
    CHECK(scene.owner("platform status " + id).says("refused (status_unknown)"));
    CHECK(scene.owner("platform order " + id + " disk0 stop").says("order 1 waits"));
    CHECK(scene.owner("platform order " + id + " net0 restart --json").json()["id"] == 2);
    CHECK(scene.owner("platform order " + id + " net0 dance").status == 2);
    const char* report = R"({"uptime_ms":5,"vms":[{"name":"disk0","state":2,"starts":1},{"name":"a\u001b[2J","state":9},7],
        "devices":[{"device":[0,0,3,0],"state":2,"lease_ms_left":50000},{"device":"x"}],
        "agent":{"verdict":"affirming","operator_orders":[{"id":1,"error":0},{"id":2,"error":5}]}})";
    REQUIRE(scene.verifier.call("POST", at + "/status", scene.platform->token, report).status == 200);
    const Ran status = scene.owner("platform status " + id);
    CHECK(status.status == 0);
    for (const char* part : {"affirming", "disk0  stopped", "a?[2J  9 ", "0000:00:03.0  assigned  50000", "only evidence proves"}) CHECK(status.says(part));
    CHECK_FALSE(status.says("\x1b"));
    CHECK(scene.owner("platform status --json " + id).json()["report"]["uptime_ms"] == 5);
    const Ran orders = scene.owner("platform orders " + id);
    for (const char* part : {"accepted", "no live grant", "operator"}) CHECK(orders.says(part));
    CHECK(scene.owner("platform recall " + id).says("its waiting orders are withdrawn"));

    const std::string file = scene.write("secrets.json", R"({"secrets":[{"vm":"disk0","name":"volume-key","sealed":"AQID","approvals":["BAUG"]}]})");
    CHECK(scene.owner("platform secrets " + id + " " + file).says(": 1 sealed secrets stored"));
    CHECK(scene.verifier.call("GET", at + "/secrets", scene.platform->token).body["secrets"][0]["name"] == "volume-key");
    CHECK(scene.owner("platform secrets " + id + " " + scene.path("token")).says("refused (json)"));
}

TEST_CASE("the service's trail and the store's are the same file, and the service's is for owners", "[cli]") {
    Scene scene;
    for (int i = 0; i < 2100; ++i) scene.verifier.store->audit({i, "a", "b", "c", "done", ""}); // some pages
    const std::string file = scene.path("service");
    CHECK(scene.owner("audit export " + file).status == 0);
    CHECK(run("audit export --store sqlite:" + scene.path("db") + " " + scene.path("store")).status == 0);
    const std::string text = cli::read_file(file);
    CHECK(std::count(text.begin(), text.end(), '\n') > 2100);
    CHECK(text == cli::read_file(scene.path("store")));
    const Reply made = scene.verifier.as_operator("POST", "/v1/tokens", R"({"name":"v","role":"operator","lifetime_seconds":60})");
    scene.write("other", made.body["token"], 0600);
    const Ran refused = run("audit export " + scene.path("refused") + scene.where() + " --token " + scene.path("other"));
    CHECK(refused.status == 1);
    CHECK(refused.says("refused (role)"));
    for (const char* name : {"refused", "refused.new"}) CHECK_FALSE(std::filesystem::exists(scene.path(name)));
    CHECK(run("audit export").says("say where the service is"));
}

TEST_CASE("platforms are listed from CSV and from JSON", "[cli]") {
    Scene scene;
    const std::string a(64, 'a'), b(64, 'b');
    scene.write("list.csv", "label,platform_id,without_certificate\n\"rack 7, \"\"top\"\"\"," + a + ",\nspare," + b + ",yes");
    const Ran done = scene.owner("platform import " + scene.path("list.csv"));
    CHECK(done.output == "listed 2 platforms\n");
    CHECK(scene.verifier.store->inventory_entry(a)->label == "rack 7, \"top\"");
    CHECK_FALSE(scene.verifier.store->inventory_entry(a)->without_certificate);
    CHECK(scene.verifier.store->inventory_entry(b)->without_certificate);
    scene.write("bad.csv", "platform_id\n" + a + "\nxyz");
    const Ran bad = scene.owner("platform import " + scene.path("bad.csv"));
    CHECK(bad.status == 2);
    CHECK(bad.says("line 3: platform_id must be 64"));
    scene.write("list.json", Json{{"entries", {{{"platform_id", b}, {"colour", 1}}}}}.dump());
    CHECK(scene.owner("platform import " + scene.path("list.json")).says("/entries/0/colour: unknown member"));
}

TEST_CASE("a list of platforms is read strictly", "[cli]") {
    const std::string id(64, 'a');
    const auto refusal = [](const std::string& text) {
        try {
            (void)cli::inventory_of(text);
            return std::string{"good"};
        } catch (const cli::CannotRun& reason) {
            return std::string{reason.what()};
        }
    };
    CHECK(refusal("platform_id\r\n" + id + "\r\n") == "good");
    CHECK(refusal("") == "the file is empty");
    CHECK(refusal("platform_id\n") == "the file lists no platform");
    CHECK(refusal("label\nx\n") == "line 1: there is no column \"platform_id\"");
    CHECK(refusal("platform_id,colour\n") == "line 1: unknown column \"colour\"");
    CHECK(refusal("platform_id,platform_id\n") == "line 1: the column \"platform_id\" occurs twice");
    CHECK(refusal("platform_id,label\n" + id + "\n") == "line 2: has not as many fields as the header");
    CHECK(refusal("platform_id\n" + id + "\n\n").find("line 3: platform_id must be") == 0);
    CHECK(refusal("platform_id,label\n" + id + ",\"open\n") == "line 2: a quoted field does not end");
    CHECK(refusal("platform_id,label\n" + id + ",\"a\"b\n") == "line 2: text after a quoted field");
    CHECK(refusal("platform_id,label\n" + id + ",a\"b\n") == "line 2: a quote inside a field that is not quoted");
    CHECK(refusal("platform_id,without_certificate\n" + id + ",true\n") == "line 2: without_certificate must be yes or no");
    CHECK(refusal("{\"entries\":[],\"entries\":[]}").find("the file is not JSON") == 0);
}

TEST_CASE("grants are listed, revoked and released; references imported and removed; rules set", "[cli]") {
    Scene scene;
    REQUIRE(scene.verifier.attest(*scene.platform).body["grants"].size() == 2);
    const std::string id = scene.owner("grant list --json").json()["grants"][0]["grant_id"];
    CHECK(scene.owner("grant list").says(id));
    CHECK(scene.owner("grant revoke " + id).says("revoked; it ends at the platform's next contact"));
    CHECK(scene.owner("grant revoke " + id).says("refused (already_revoked)"));
    CHECK(scene.owner("grant release " + id).status == 0);
    const std::string set = scene.owner("reference list --json").json()["references"][0]["reference_id"];
    CHECK(scene.owner("reference remove " + set).status == 0);
    CHECK(scene.owner("reference list").output == "none\n");
    CHECK(scene.owner("reference import " + scene.path("reference.json")).says("accepted as "));
    scene.write("bad.json", R"({"version":1,"colour":"red"})");
    CHECK(scene.owner("reference import " + scene.path("bad.json")).says("refused (reference): /colour: unknown member."));
    CHECK(scene.owner("policy minimum-epoch 7").says("epoch 7 and later"));
    CHECK(scene.owner("policy show --json").json()["minimum_policy_epoch"] == 7);
}

TEST_CASE("a token made on the command line has its role, and a viewer's cannot revoke", "[cli]") {
    Scene scene;
    REQUIRE(scene.verifier.attest(*scene.platform).body["grants"].size() == 2);
    const Ran made = scene.owner("token create vera2 --role viewer --days 1");
    REQUIRE(made.status == 0);
    scene.write("viewer", made.output.substr(0, 64), 0600);
    const auto viewer = [&](const std::string& arguments) { return run(arguments + scene.where() + " --token " + scene.path("viewer")); };
    CHECK(viewer("grant list").status == 0);
    const Ran refused = viewer("grant revoke " + scene.verifier.store->grants(1).at(0).id);
    CHECK(refused.status == 1);
    CHECK(refused.says("refused (role): this call needs the role operator, and vera2 has the role viewer. Ask somebody"));
    CHECK(scene.verifier.store->grants(1).at(0).revoked_at == 0);
    CHECK(scene.owner("token list").says("vera2"));
    CHECK(scene.owner("token list").output.find(made.output.substr(0, 64)) == std::string::npos);
    CHECK(scene.owner("token remove " + scene.verifier.store->operator_tokens().at(0).id).status == 0);
    CHECK(viewer("grant list").says("refused (operator_only)"));
}

TEST_CASE("a client certificate does instead of a token", "[cli]") {
    Scene scene;
    scene.authority.issue_client("carl", {"carl", "clientAuth"});
    scene.authority.issue_client("eve", {"eve", "clientAuth"});
    const TestAuthority foreign{"foreign authority"};
    foreign.issue_client("carl", {"carl", "clientAuth"});
    const auto as = [&](const TestAuthority& issuer, const std::string& name, const std::string& arguments) {
        return run(arguments + scene.where() + " --certificate " + issuer.path(name + ".pem").string() + " --key " +
                   issuer.path(name + ".key").string());
    };
    CHECK(as(scene.authority, "carl", "platform quarantine " + scene.platform->id).status == 0);
    CHECK(scene.verifier.store->audit_rows(1).at(0).actor == "carl (operator)");
    CHECK(as(scene.authority, "carl", "platform reinstate " + scene.platform->id).says("refused (role)"));
    CHECK(as(scene.authority, "eve", "platform list").says("refused (certificate_unknown)"));
    const Ran stranger = as(foreign, "carl", "platform list");
    CHECK(stranger.status == 2);
    CHECK(stranger.says("no answer from"));
}

TEST_CASE("wrong usage, open token files and another service are one sentence and status 2", "[cli]") {
    Scene scene;
    const auto fails = [](const Ran& ran, const std::string& words) {
        CAPTURE(ran.output);
        CHECK(ran.status == 2);
        CHECK(ran.says(words));
    };
    const std::string token = " --token " + scene.path("token");
    fails(run("platform list" + token), "say where the service is");
    fails(run("platform list" + scene.where()), "say who you are");
    fails(run("platform list" + scene.where() + " --certificate x"), "--certificate and --key go together");
    fails(run("platform"), "subcommand is required");
    fails(run("platform dance" + scene.where() + token), "subcommand is required");
    scene.write("open", operator_token, 0644);
    fails(run("platform list" + scene.where() + " --token " + scene.path("open")), "open to other users: chmod go-rwx");
    scene.write("empty", "", 0600);
    fails(run("platform list" + scene.where() + " --token " + scene.path("empty")), "does not hold one token");
    scene.write("two", "a b", 0600);
    fails(run("platform list" + scene.where() + " --token " + scene.path("two")), "does not hold one token");
    std::filesystem::create_symlink(scene.path("token"), scene.path("link"));
    fails(run("platform list" + scene.where() + " --token " + scene.path("link")), "is not a regular file");
    const TestServer other{[](const verifier::HttpRequest&) { return verifier::HttpAnswer{200, "{}"}; }};
    fails(run("platform list --url " + scene.server->url() + " --ca " + other.authority().string() + token), "is --ca its authority?");
    fails(run("platform list --url http://127.0.0.1:1 --ca " + other.authority().string() + token), "no answer from");
    CHECK(run("platform list --help").status == 0);
}

TEST_CASE("a signed result is verified offline", "[cli]") {
    Scene scene;
    const Reply attested = scene.verifier.attest(*scene.platform);
    const std::string nonce = verifier::to_base64(scene.platform->builder.nonce);
    const auto pem = [&](const char* name, const cose::Signer& signer) {
        std::FILE* file = std::fopen(scene.path(name).c_str(), "w");
        const auto& point = signer.public_key();
        PEM_write_PUBKEY(file, verifier::p256_key(point).get());
        std::fclose(file);
        return " --key " + scene.path(name);
    };
    const std::string key = pem("result.pub.pem", scene.verifier.results_key);
    const std::string token = attested.body["result"];
    const std::string file = scene.write("result.jwt", token);
    const Ran good = run("result verify " + file + key + " --nonce " + nonce);
    CHECK(good.status == 0);
    CHECK(good.says("status     affirming"));
    CHECK(run("result verify " + file + key + " --json").json()["claims"]["submods"]["platform"]["casemate_platform_id"] == scene.platform->id);
    scene.write("answer.json", scene.verifier.as_operator("GET", "/v1/platforms/" + scene.platform->id + "/result").body.dump());
    CHECK(run("result verify " + scene.path("answer.json") + key).status == 0);

    const auto refused = [&](const Ran& ran, const char* word) {
        CAPTURE(ran.output);
        CHECK(ran.status == 1);
        CHECK(ran.says(word));
    };
    refused(run("result verify " + file + key + " --nonce " + verifier::to_base64(Bytes(32, 1))), "result_nonce");
    refused(run("result verify " + file + pem("other.pub.pem", new_signer())), "result_signature");
    refused(run("result verify " + scene.write("bent.jwt", token.substr(0, token.size() - 4) + "AAAA") + key), "result_signature");
    refused(run("result verify " + scene.write("none.jwt", "eyJhbGciOiJub25lIn0." + token.substr(token.find('.') + 1)) + key), "result_algorithm");
    refused(run("result verify " + scene.write("cut.jwt", token.substr(0, 40)) + key), "result_shape");
    scene.verifier.now -= 3'600'000; // an old one
    refused(run("result verify " + scene.write("old.jwt", scene.verifier.attest(*scene.platform).body["result"]) + key), "result_expired");
    scene.verifier.now += 3'600'000;
    scene.platform->builder.hypervisor[0] ^= 1;
    scene.platform->relaunch();
    const Ran bad = run("result verify " + scene.write("bad.jwt", scene.verifier.attest(*scene.platform).body["result"]) + key);
    refused(bad, "status     contraindicated");
    CHECK(bad.says("the hypervisor is not the accepted one"));
    CHECK(run("result verify " + scene.path("missing") + key).status == 2);
    CHECK(run("result verify " + file + " --key " + file).status == 2);
}

TEST_CASE("saved evidence is explained offline", "[cli]") {
    Scene scene;
    REQUIRE(scene.verifier.attest(*scene.platform).body["verdict"] == "affirming");
    const auto fetched = [&](const char* name) {
        return scene.write(name, scene.owner("evidence fetch " + scene.platform->id).output);
    };
    const std::string reference = " --reference " + scene.path("reference.json");
    const Ran good = run("evidence explain " + fetched("good.json") + reference);
    CHECK(good.status == 0);
    CHECK(good.says("affirming\nPassed: everything that was launched equals reference set"));
    CHECK(run("evidence explain " + scene.path("good.json")).says("reference_missing"));
    const std::string expected = verifier::to_hex(scene.platform->builder.reference.hypervisor.find(TPM_ALG_ID::SHA256)->view());
    scene.platform->builder.hypervisor[0] ^= 1;
    scene.platform->relaunch();
    REQUIRE(scene.verifier.attest(*scene.platform).body["verdict"] == "contraindicated");
    const Ran differs = run("evidence explain " + fetched("bad.json") + reference);
    CHECK(differs.status == 1);
    CHECK(differs.says("the hypervisor is not the accepted one (hypervisor); expected " + expected));
    CHECK(run("evidence explain " + scene.path("bad.json") + reference + " --json").json()["reasons"][0]["code"] == "hypervisor_differs");
    // The AK in the file is only its word: another one is the operator's to name.
    std::ofstream{scene.verifier.directory / "ak", std::ios::binary}.write(
        reinterpret_cast<const char*>(Platform{scene.verifier.owner, scene.verifier.grant_key}.ak_public().data()), 88);
    CHECK(run("evidence explain " + scene.path("good.json") + reference + " --ak " + scene.path("ak")).says("signature_invalid"));
    CHECK(run("evidence explain " + scene.write("x.json", "{}") + reference).status == 2);
    CHECK(run("evidence explain " + scene.path("good.json") + " --reference " + scene.path("x.json")).says("/: \"version\" is missing"));
}
