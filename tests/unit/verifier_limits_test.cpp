// SPDX-License-Identifier: Apache-2.0
// Over real connections: client certificates on every route, clients that are slow, silent or many, and a stop in the
// middle of requests.
#include <catch2/catch.hpp>

#include <condition_variable>
#include <thread>
#include <vector>

#include "tests/unit/software_ek.hpp"
#include "tests/unit/tls_client.hpp"
#include "tests/unit/verifier_fixture.hpp"
#include "tests/unit/verifier_server.hpp"

using namespace casemate;
using namespace casemate::test;
using verifier::Caller;
using verifier::HttpAnswer;
using verifier::HttpOptions;
using verifier::HttpRequest;

namespace {

HttpAnswer echo(const HttpRequest& request) { return {200, request.body}; }

HttpOptions with_authority(const TestAuthority& authority) {
    HttpOptions options;
    options.client_authority = authority.file();
    return options;
}

} // namespace

TEST_CASE("a client certificate arrives as fingerprint and subject, and only a good one", "[verifier][limits]") {
    const TestAuthority authority, foreign{"foreign authority"};
    std::optional<verifier::ClientCertificate> seen;
    const TestServer server{[&](const HttpRequest& request) {
        seen = request.client_certificate;
        return HttpAnswer{200, "{}"};
    }, with_authority(authority)};
    const auto ask = [&](const TestAuthority& issuer, const CertificatePlan& plan) {
        seen.reset();
        const std::string fingerprint = issuer.issue_client("client", plan);
        TlsClient client{server.server->port(), issuer.path("client.pem"), issuer.path("client.key")};
        const int status = client.ask("GET", "/");
        if (status == 200) CHECK(seen->fingerprint == fingerprint);
        return status;
    };
    CHECK(ask(authority, {"alice", "clientAuth"}) == 200);
    CHECK(seen->subject == "CN=alice");
    CHECK(seen->not_after > verifier::system_now());
    CHECK(ask(foreign, {"alice", "clientAuth"}) == 0);
    CHECK(ask(authority, {"alice", "clientAuth", -7200, -3600}) == 0);
    CHECK(ask(authority, {"alice", "clientAuth", 3600, 7200}) == 0);
    CHECK(ask(authority, {"alice", "serverAuth"}) == 0); // issued for something else
    CHECK_FALSE(seen);
    TlsClient nobody{server.server->port()};
    CHECK(nobody.ask("GET", "/") == 200); // platforms have none
    CHECK_FALSE(seen);
}

TEST_CASE("no route answers to a client certificate of a foreign authority or an expired one", "[verifier][limits]") {
    const TestAuthority authority, foreign{"foreign authority"};
    TestVerifier verifier;
    const auto platform = verifier.platform('a');
    const TestServer server{[&](const HttpRequest& request) { return verifier.service->answer(request); }, with_authority(authority)};
    foreign.issue_client("client", {"olga", "clientAuth"});
    authority.issue_client("old", {"olga", "clientAuth", -7200, -3600});
    for (const verifier::Route& route : verifier.service->route_table()) {
        CAPTURE(route.method, route.pattern);
        std::string path = route.pattern;
        if (const std::size_t at = path.find("{platform}"); at != std::string::npos) path.replace(at, 10, platform->id);
        TlsClient stranger{server.server->port(), foreign.path("client.pem"), foreign.path("client.key")};
        CHECK(stranger.ask(route.method, path) == 0);
        TlsClient late{server.server->port(), authority.path("old.pem"), authority.path("old.key")};
        CHECK(late.ask(route.method, path) == 0);
    }
}

TEST_CASE("an authority of client certificates that is no certificate stops the start", "[verifier][limits]") {
    const TestAuthority authority;
    HttpOptions options = with_authority(authority);
    options.client_authority = authority.path("missing.pem");
    CHECK_THROWS_WITH(TestServer(echo, options), Catch::Contains("authority of client certificates"));
}

TEST_CASE("two hundred idle connections and as many slow ones starve nobody", "[verifier][limits]") {
    HttpOptions options;
    options.max_connections = 500;
    const TestServer server{echo, options};
    std::vector<std::unique_ptr<TlsClient>> idle, slow;
    for (int i = 0; i < 200; ++i) {
        idle.push_back(std::make_unique<TlsClient>(server.server->port()));
        REQUIRE(idle.back()->connected());
        slow.push_back(std::make_unique<TlsClient>(server.server->port()));
        // Half of them in the middle of the header, half in the middle of the body.
        REQUIRE(slow.back()->send(i % 2 == 0 ? "GET / HTTP/1.1\r\nHost: x\r\nX-A" : "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"));
    }
    for (int i = 0; i < 20; ++i) CHECK(server.call({"POST", "/", "", "quick"}).body == "quick");
    for (const auto& client : idle) CHECK(client->ask("POST", "/", "at last") == 200);
    CHECK(slow[1]->send(" a body")); // 10 bytes with what came before, and one too many for this request
    CHECK(slow[1]->receive("half a bod").find("200 OK") != std::string::npos);
}

TEST_CASE("slow headers and slow bodies end with their time, whatever trickles in", "[verifier][limits]") {
    HttpOptions options;
    options.request_time = std::chrono::milliseconds{400};
    const TestServer server{echo, options};
    for (const char* beginning : {"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"}) {
        TlsClient loris{server.server->port()};
        REQUIRE(loris.send(beginning));
        bool cut_off = false;
        for (int i = 0; i < 200 && !cut_off; ++i) {
            ::usleep(50'000);
            cut_off = !loris.send("a");
        }
        CHECK(cut_off);
    }
    CHECK(server.call({"GET", "/", "", ""}).status == 200);
}

TEST_CASE("one address cannot take every connection", "[verifier][limits]") {
    HttpOptions options;
    options.max_connections = 40; // the rule leaves an eighth: 35 of one address
    const TestServer server{echo, options};
    std::vector<std::unique_ptr<TlsClient>> greedy;
    for (int i = 0; i < 40; ++i) greedy.push_back(std::make_unique<TlsClient>(server.server->port()));
    int served = 0;
    for (const auto& client : greedy) served += client->connected() ? 1 : 0;
    CHECK(served == 35);
    greedy.erase(greedy.begin(), greedy.begin() + 10);
    bool again = false; // the server notices that they closed
    for (int i = 0; i < 100 && !again; ++i) {
        TlsClient client{server.server->port()};
        again = client.connected();
        if (!again) ::usleep(20'000);
    }
    CHECK(again);
}

TEST_CASE("a server that stops answers the requests that it has begun to read", "[verifier][limits]") {
    std::mutex lock;
    std::condition_variable changed;
    bool entered = false, may_end = false;
    TestServer server{[&](const HttpRequest& request) {
        if (request.target == "/slow") {
            std::unique_lock guard{lock};
            entered = true;
            changed.notify_all();
            changed.wait(guard, [&] { return may_end; });
        }
        return HttpAnswer{200, "{\"whole\":true}"};
    }};
    TlsClient in_handler{server.server->port()}, in_body{server.server->port()}, idle{server.server->port()};
    REQUIRE(in_body.send("POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nhalf"));
    REQUIRE(in_handler.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"));
    {
        std::unique_lock guard{lock};
        changed.wait(guard, [&] { return entered; });
    }
    ::usleep(100'000); // the other's header has arrived
    std::thread stopping{[&] { server.server->stop(); }};
    ::usleep(100'000);
    {
        const std::lock_guard guard{lock};
        may_end = true;
        changed.notify_all();
    }
    CHECK(in_handler.receive("true}").find("200 OK") != std::string::npos);
    ::usleep(100'000); // nothing but the half body holds the server now
    REQUIRE(in_body.send("half"));
    CHECK(in_body.receive("true}").find("200 OK") != std::string::npos);
    stopping.join();
    CHECK_FALSE(TlsClient{server.server->port()}.connected());
    server.server.reset();
    CHECK(idle.receive("x").empty()); // closed, not waited for
}
