// SPDX-License-Identifier: Apache-2.0
// What casemate-verifierd reads again on SIGHUP: who its operators are, and its certificate. Nobody is cut off who need not be.
#include <catch2/catch.hpp>

#include <functional>

#include <openssl/pem.h>

#include "tests/platform/verifier/replica.hpp"
#include "tests/unit/tls_client.hpp"

using namespace casemate;
using namespace casemate::test;

namespace {

std::string fingerprint_of(const std::filesystem::path& pem) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(pem.c_str(), "r"), std::fclose};
    const verifier::Certificate certificate{PEM_read_X509(file.get(), nullptr, nullptr, nullptr)};
    verifier::Sha256 digest{};
    REQUIRE(X509_digest(certificate.get(), EVP_sha256(), digest.data(), nullptr) == 1);
    return verifier::to_hex(digest);
}

struct Scene {
    Deployment<OnSqlite> deployment;
    std::filesystem::path operators = deployment.directory / "operators.json";
    std::unique_ptr<Replica<OnSqlite>> replica;

    Scene() {
        name(our_operator());
        replica = std::make_unique<Replica<OnSqlite>>(
            deployment, std::vector<std::string>{"--client-ca", deployment.keys / "operator-ca.pem", "--operators", operators});
    }
    [[nodiscard]] std::string our_operator() const { return fingerprint_of(deployment.keys / "operator.pem"); }
    /// The only operator from the next reload on.
    void name(const std::string& fingerprint) const {
        write(Json{{"operators", {{{"name", "oscar"}, {"role", "owner"}, {"fingerprint", fingerprint}}}}}.dump());
    }
    void write(const std::string& text) const { std::ofstream{operators} << text; }
    [[nodiscard]] std::unique_ptr<TlsClient> connect() const {
        return std::make_unique<TlsClient>(replica->port(), deployment.keys / "operator.pem", deployment.keys / "operator.key.pem");
    }
    /// New certificate of the same authority.
    void renew_certificate() const {
        for (const char* file : {"server.pem", "server.key.pem"}) std::filesystem::remove(deployment.keys / file);
        REQUIRE(Child{{CASEMATE_KEYS, "init", deployment.keys}}.wait() == 0);
    }
};

/// A reload takes a moment; the service says nothing to us when it has happened.
bool comes(const std::function<bool()>& what) {
    for (int i = 0; i < 500 && !what(); ++i) ::usleep(10'000);
    return what();
}

} // namespace

TEST_CASE("an operator who is taken out of the file is refused after SIGHUP, over an open connection too", "[reload]") {
    Scene scene;
    const auto client = scene.connect();
    REQUIRE(client->connected());
    REQUIRE(client->ask("GET", "/v1/grants") == 200);
    scene.name(std::string(64, '5'));
    CHECK(client->ask("GET", "/v1/grants") == 200); // not before it is told
    scene.replica->signal(SIGHUP);
    CHECK(comes([&] { return client->ask("GET", "/v1/grants") == 403; }));
    scene.name(scene.our_operator());
    scene.replica->signal(SIGHUP);
    CHECK(comes([&] { return client->ask("GET", "/v1/grants") == 200; }));
}

TEST_CASE("the event stream of an operator who was taken out ends", "[reload]") {
    Scene scene;
    const auto stream = scene.connect();
    REQUIRE(stream->send("GET /v1/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n"));
    REQUIRE(stream->receive("event: begin").find("200 OK") != std::string::npos);
    scene.name(std::string(64, '5'));
    scene.replica->signal(SIGHUP);
    CHECK(stream->receive("never").find("never") == std::string::npos);
    CHECK(stream->closed());
}

TEST_CASE("files that cannot be used change nothing, neither operators nor certificate", "[reload]") {
    Scene scene;
    const auto client = scene.connect();
    const std::string before = client->peer_fingerprint();
    SECTION("an operators' file that is none") {
        scene.write("{\"operators\": [");
        scene.renew_certificate();
    }
    SECTION("a key that is not the certificate's") {
        scene.name(std::string(64, '5'));
        std::filesystem::copy_file(scene.deployment.keys / "operator.key.pem", scene.deployment.keys / "server.key.pem",
                                   std::filesystem::copy_options::overwrite_existing);
    }
    scene.replica->signal(SIGHUP);
    ::usleep(500'000);
    CHECK(client->ask("GET", "/v1/grants") == 200);
    const auto another = scene.connect();
    CHECK(another->ask("GET", "/v1/grants") == 200);
    CHECK(another->peer_fingerprint() == before);
}

TEST_CASE("a renewed certificate serves new connections after SIGHUP, and the old ones go on", "[reload]") {
    Scene scene;
    const auto before = scene.connect();
    REQUIRE(before->ask("GET", "/v1/grants") == 200);
    scene.renew_certificate();
    scene.replica->signal(SIGHUP);
    CHECK(comes([&] { return scene.connect()->peer_fingerprint() != before->peer_fingerprint(); }));
    CHECK(before->ask("GET", "/v1/grants") == 200);
    CHECK(scene.connect()->ask("GET", "/v1/grants") == 200);
    CHECK(scene.replica->as_operator("GET", "/v1/grants").status == 200); // the authority is checked there
}
