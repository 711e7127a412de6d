// SPDX-License-Identifier: Apache-2.0
// casemate-verifierd as a fleet runs it: two replicas on one database, stopped, killed under load, given the same nonce at once.
// Whatever a client got an answer for must be in the store afterwards, with its audit row, and the trail must verify offline.
#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "tests/platform/verifier/replica.hpp"
#include "tests/unit/tls_client.hpp"

using namespace casemate;
using namespace casemate::test;

namespace {

constexpr int exited_well = 0;

/// What clients were told.
struct Accepted {
    std::mutex lock;
    std::set<std::string> challenges; // of evidence that got a verdict
    std::set<std::string> grants;     // COSE, base64
    std::atomic<int> count = 0;

    void note(const std::string& challenge, const Json& answer) {
        const std::lock_guard guard{lock};
        challenges.insert(challenge);
        for (const Json& grant : answer["grants"]) grants.insert(grant.get<std::string>());
        ++count;
    }
};

/// Attests until the replica is gone or enough was done. The first round grants, the others sign again on newer evidence.
void attest_on_and_on(Platform& platform, Caller caller, Accepted& accepted, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        const Reply challenge = caller.challenge(platform);
        if (challenge.status != 200) return;
        const Reply answer = caller.submit(platform, platform.evidence(challenge.body));
        if (answer.status != 200) return;
        accepted.note(challenge.body["challenge_id"], answer.body);
    }
}

/// Every answered decision is stored, and every stored verdict has its audit row and the other way round.
void check_nothing_lost(store::Store& store, const Accepted& accepted, const measure::P256PublicKey& key) {
    std::set<std::string> stored, audited, grants, granted;
    for (const store::AppraisalRecord& result : store.results(100'000)) stored.insert(result.challenge_id);
    for (const audit::ChainedRow& row : store.audit_trail(0, 1'000'000))
        if (row.row.action == "verdict") audited.insert(row.row.object);
    for (const store::Grant& grant : store.grants(100'000)) grants.insert(grant.id);
    for (const std::string& message : accepted.grants)
        granted.insert(verifier::to_hex(grant::verify(*verifier::from_base64(message), key).value().claims().id));
    CHECK(stored == audited);
    CHECK(std::includes(stored.begin(), stored.end(), accepted.challenges.begin(), accepted.challenges.end()));
    CHECK(std::includes(grants.begin(), grants.end(), granted.begin(), granted.end()));
    CHECK_FALSE(grants.empty());
}

} // namespace

TEMPLATE_TEST_CASE("a replica that is killed under load loses nothing that it answered", "[replicas]", OnSqlite, OnPostgresql) {
    Deployment<TestType> deployment;
    std::vector<std::unique_ptr<Platform>> platforms;
    for (const char digit : {'a', 'b', 'c', 'd'}) platforms.push_back(deployment.platform(digit));
    Accepted accepted;
    for (int kill = 0; kill < 3; ++kill) {
        Replica<TestType> victim{deployment};
        Replica<TestType> other{deployment};
        for (const auto& platform : platforms) REQUIRE(other.accept(*platform).status == 200);
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < platforms.size(); ++i)
            threads.emplace_back([&, i] { attest_on_and_on(*platforms[i], (i % 2 == 0 ? victim : other).caller(), accepted, 40); });
        const int enough = accepted.count + 30;
        for (int i = 0; i < 2000 && accepted.count < enough; ++i) ::usleep(5'000);
        CHECK(accepted.count >= enough);
        CHECK(WIFSIGNALED(victim.end(SIGKILL)));
        for (std::thread& thread : threads) thread.join();
        // The one that lives goes on at once.
        const Reply challenge = other.caller().challenge(*platforms[0]);
        REQUIRE(challenge.status == 200);
        CHECK(other.caller().submit(*platforms[0], platforms[0]->evidence(challenge.body)).body["verdict"] == "affirming");
        CHECK(other.end(SIGTERM) == exited_well);
    }
    check_nothing_lost(*deployment.back_end.open(), accepted,
                       measure::P256PublicKey::create(deployment.grant_key->public_key()).value());
    CHECK(deployment.verify_trail() == 0);
    CHECK(deployment.verdict()["intact"] == true);
    CHECK(deployment.verdict()["signed_until"] == deployment.verdict()["rows"]); // by the last graceful stop
    CHECK(deployment.verdict()["checkpoints"] >= 3);
}

TEMPLATE_TEST_CASE("of two replicas that get the same evidence at once one takes it", "[replicas]", OnSqlite, OnPostgresql) {
    Deployment<TestType> deployment;
    const auto platform = deployment.platform('a');
    const Replica<TestType> one{deployment}, other{deployment};
    REQUIRE(one.accept(*platform).status == 200);
    for (int round = 0; round < 10; ++round) {
        const Json evidence = platform->evidence(one.caller().challenge(*platform).body);
        Reply first, second;
        std::thread beside{[&] { first = one.caller().submit(*platform, evidence); }};
        second = other.caller().submit(*platform, evidence);
        beside.join();
        CHECK(first.status + second.status == 200 + 409);
        CHECK(first.code() + second.code() == "challenge_used");
    }
    const auto store = deployment.back_end.open();
    CHECK(store->results(1000).size() == 10);
    int refused = 0;
    for (const audit::ChainedRow& row : store->audit_trail(0, 1000))
        if (row.row.action == "call" && row.row.detail.find("challenge_used") != std::string::npos) ++refused;
    CHECK(refused == 10);
}

TEMPLATE_TEST_CASE("what one replica decides the other knows at the next contact", "[replicas]", OnSqlite, OnPostgresql) {
    Deployment<TestType> deployment;
    const auto platform = deployment.platform('a');
    const Replica<TestType> one{deployment}, other{deployment};
    REQUIRE(one.accept(*platform).status == 200);
    Caller here = one.caller(), there = other.caller();
    const Reply granted = there.submit(*platform, platform->evidence(there.challenge(*platform).body)); // the reference came from here
    REQUIRE(granted.body["verdict"] == "affirming");
    REQUIRE(granted.body["grants"].size() >= 1);
    const std::string grant = other.as_operator("GET", "/v1/grants").body["grants"][0]["grant_id"];

    SECTION("a revocation") {
        CHECK(one.as_operator("POST", "/v1/grants/" + grant + "/revocation", "{}").status == 200);
        CHECK(other.as_operator("POST", "/v1/grants/" + grant + "/revocation", "{}").code() == "already_revoked");
        CHECK(there.call("GET", "/v1/platforms/" + platform->id + "/orders", platform->token).body["revocations"].size() == 1);
        const Reply next = there.submit(*platform, platform->evidence(there.challenge(*platform).body));
        CHECK(next.words().find("revoked") != std::string::npos);
        CHECK(next.body["grants"].size() + 1 == granted.body["grants"].size());
    }
    SECTION("a reference set that goes") {
        const std::string reference = one.as_operator("GET", "/v1/reference").body["references"][0]["reference_id"];
        CHECK(one.as_operator("DELETE", "/v1/reference/" + reference).status == 200);
        CHECK(there.submit(*platform, platform->evidence(there.challenge(*platform).body)).body["verdict"] == "contraindicated");
    }
    SECTION("a challenge") {
        CHECK(there.submit(*platform, platform->evidence(here.challenge(*platform).body)).body["verdict"] == "affirming");
    }
}

TEMPLATE_TEST_CASE("a stream that one replica serves has what the other decides, and ends when its replica stops", "[replicas]", OnSqlite, OnPostgresql) {
    Deployment<TestType> deployment;
    const auto platform = deployment.platform('a');
    const Replica<TestType> one{deployment};
    Replica<TestType> other{deployment};
    REQUIRE(one.accept(*platform).status == 200);
    TlsClient here{one.port()}, there{other.port()};
    const std::string request = "GET /v1/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer " + deployment.operator_token() + "\r\n\r\n";
    for (TlsClient* stream : {&here, &there}) {
        REQUIRE(stream->send(request));
        REQUIRE(stream->receive("event: begin").find("200 OK") != std::string::npos);
    }
    Caller caller = one.caller();
    REQUIRE(caller.submit(*platform, platform->evidence(caller.challenge(*platform).body)).body["verdict"] == "affirming");
    for (TlsClient* stream : {&here, &there}) CHECK(stream->receive("\"verdict\"").find("event: audit") != std::string::npos);
    CHECK(other.end(SIGTERM) == exited_well);
    CHECK(there.receive("never").find("HTTP/1.1") == std::string::npos); // it ended, with no more than what was on its way
    REQUIRE(caller.submit(*platform, platform->evidence(caller.challenge(*platform).body)).status == 200);
    CHECK(here.receive("\"verdict\"").find("\"verdict\"") != std::string::npos); // the other stream goes on
}

TEST_CASE("a store that cannot be opened, or a password on the command line, is said in one sentence", "[replicas]") {
    Deployment<OnSqlite> deployment;
    const auto start = [&](const std::string& where) {
        const std::filesystem::path& keys = deployment.keys;
        const std::string output = deployment.directory / "output";
        const int status = Child{{CASEMATE_VERIFIERD, "--store", where, "--listen", "127.0.0.1:0", "--tls-certificate", keys / "server.pem",
                                  "--tls-key", keys / "server.key.pem", "--grant-key", keys / "grant.pem", "--operator-token",
                                  keys / "operator.token"}, output}.wait();
        std::ifstream file{output};
        const std::string said{std::istreambuf_iterator<char>{file}, {}};
        return std::pair{WEXITSTATUS(status), said};
    };
    const auto away = start("postgresql:host=" + deployment.directory.path().string() + " dbname=x");
    CHECK(away.first == 2);
    CHECK(away.second.find("cannot connect") != std::string::npos);
    const auto secret = start("postgresql:host=/nowhere password=secret-word");
    CHECK(secret.first == 2);
    CHECK(secret.second.find("password file") != std::string::npos);
    CHECK(secret.second.find("secret-word") == std::string::npos);
}

TEST_CASE("the offline check's exit status and words tell an intact trail from others", "[replicas]") {
    Deployment<OnSqlite> deployment;
    const auto platform = deployment.platform('a');
    Replica<OnSqlite> replica{deployment};
    REQUIRE(replica.accept(*platform).status == 200);
    Caller caller = replica.caller();
    for (int i = 0; i < 3; ++i) REQUIRE(caller.submit(*platform, platform->evidence(caller.challenge(*platform).body)).status == 200);
    REQUIRE(replica.end(SIGTERM) == exited_well);
    REQUIRE(deployment.verify_trail() == 0);
    const std::string trail = deployment.directory / "trail";
    const auto verify = [&](const std::string& file, const std::string& key, std::vector<std::string> more = {}) {
        std::vector<std::string> command{CASEMATE_ATTEST, "audit", "verify", "--json", "--key", deployment.keys / key.c_str(), file};
        command.insert(command.end(), more.begin(), more.end());
        return WEXITSTATUS(Child(std::move(command), deployment.directory / "verdict").wait());
    };
    CHECK(verify(trail, "audit.pub.pem", {"--checkpoint", trail}) == 0);
    CHECK(verify(trail, "grant.pub.pem") == 1);
    CHECK(deployment.verdict()["problems"][0]["reason"] == "checkpoint_signature");
    CHECK(verify(deployment.directory / "absent", "audit.pub.pem") == 2);
    CHECK(verify(trail, "audit.pem") == 2); // a private key is no public key
    CHECK(WEXITSTATUS((Child{{CASEMATE_ATTEST, "audit", "frobnicate"}}.wait())) == 2);
    CHECK(WEXITSTATUS((Child{{CASEMATE_ATTEST, "audit", "verify", "--help"}}.wait())) == 0);
    CHECK(WEXITSTATUS((Child{{CASEMATE_ATTEST, "audit", "export", "--store", "sqlite:" + (deployment.directory / "absent").string()}}.wait())) == 2);

    std::ifstream file{trail};
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    const auto rewrite = [&](auto bend) {
        std::vector<std::string> bent = lines;
        bend(bent);
        const std::string name = deployment.directory / "bent";
        std::ofstream out{name};
        for (const std::string& line : bent) out << line << "\n";
        out.close();
        const int status = verify(name, "audit.pub.pem");
        return std::pair{status, deployment.verdict()["problems"].empty() ? "" : deployment.verdict()["problems"][0]["reason"].get<std::string>()};
    };
    CHECK(rewrite([](auto&) {}) == std::pair{0, std::string{}});
    CHECK(rewrite([](auto& bent) { bent.erase(bent.begin() + 1); }) == std::pair{1, std::string{"sequence"}});
    CHECK(rewrite([](auto& bent) { bent[1][bent[1].find("\"at\":") + 5] = '9'; }) == std::pair{1, std::string{"hash"}});
    CHECK(rewrite([](auto& bent) { bent.erase(bent.end() - 2); }) == std::pair{1, std::string{"truncated"}});
}
