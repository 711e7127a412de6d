// SPDX-License-Identifier: Apache-2.0
// The HTTPS server over real loopback connections: TLS 1.3 only, limits on size and time, busy port, clean stop.
#include <atomic>
#include <catch2/catch.hpp>
#include <set>

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/verifier_server.hpp"

using namespace casemate;
using namespace casemate::test;
using verifier::HttpAnswer;
using verifier::HttpOptions;
using verifier::HttpRequest;

namespace {

HttpAnswer echo(const HttpRequest& request) { return {200, request.method + " " + request.target + " " + request.body}; }

int connect_to(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    return fd;
}

/// Whether the other side closes within five seconds.
bool closes(int fd) {
    timeval limit{5, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    char byte = 0;
    return ::recv(fd, &byte, 1, 0) == 0;
}

bool handshake_with(std::uint16_t port, int version) {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(context, version);
    const int fd = connect_to(port);
    SSL* tls = SSL_new(context);
    SSL_set_fd(tls, fd);
    const bool done = SSL_connect(tls) == 1;
    SSL_free(tls);
    SSL_CTX_free(context);
    ::close(fd);
    return done;
}

} // namespace

TEST_CASE("requests arrive and are answered over kept connections", "[verifier]") {
    const TestServer server{echo};
    relay::VerifierClient client{server.url(), server.authority(), std::chrono::seconds{10}, 1 << 20};
    for (int i = 0; i < 3; ++i) {
        const relay::VerifierAnswer answer = client.call({"POST", "/v1/x", "t", "{}"});
        CHECK(answer.status == 200);
        CHECK(answer.body == "POST /v1/x {}");
    }
    CHECK(client.call({"GET", "/v1/y", "", ""}).body == "GET /v1/y ");
}

TEST_CASE("only TLS 1.3 and only the pinned authority will do", "[verifier]") {
    const TestServer server{echo};
    CHECK(handshake_with(server.server->port(), TLS1_3_VERSION));
    CHECK_FALSE(handshake_with(server.server->port(), TLS1_2_VERSION));
    const TestServer stranger{echo};
    relay::VerifierClient client{server.url(), stranger.authority(), std::chrono::seconds{10}, 1 << 20};
    CHECK(client.call({"GET", "/v1/x", "", ""}).status == 0);
}

TEST_CASE("what is too large is refused", "[verifier]") {
    HttpOptions limits;
    limits.max_body = 1000;
    limits.max_header = 2000;
    const TestServer server{echo, limits};
    CHECK(server.call({"POST", "/v1/x", "", std::string(1000, 'x')}).status == 200);
    CHECK(server.call({"POST", "/v1/x", "", std::string(1001, 'x')}).status == 413);
    CHECK(server.call({"GET", "/v1/x", std::string(3000, 'a'), ""}).status == 431);
}

TEST_CASE("a client that says nothing, or too many of them, are cut off", "[verifier]") {
    HttpOptions limits;
    limits.request_time = std::chrono::milliseconds{300};
    limits.max_connections = 2;
    const TestServer server{echo, limits};
    const int first = connect_to(server.server->port());
    const int second = connect_to(server.server->port());
    ::usleep(100'000); // both accepted
    const int third = connect_to(server.server->port());
    CHECK(closes(third));
    CHECK(closes(first));
    CHECK(closes(second));
    for (const int fd : {first, second, third}) ::close(fd);
    CHECK(server.call({"GET", "/v1/x", "", ""}).status == 200);
}

TEST_CASE("who goes on within the time may stay for longer than it", "[verifier]") {
    HttpOptions limits;
    limits.request_time = std::chrono::milliseconds{1500};
    std::atomic<int> handled{0};
    std::set<std::string> peers;
    const TestServer server{[&](const HttpRequest& request) {
                                ++handled;
                                peers.insert(request.peer);
                                return echo(request);
                            }, limits};
    relay::VerifierClient client{server.url(), server.authority(), std::chrono::seconds{10}, 1 << 20};
    for (int i = 0; i < 4; ++i) {
        CHECK(client.call({"GET", "/v1/x", "", ""}).status == 200);
        ::usleep(500'000);
    }
    CHECK(handled == 4);
    CHECK(peers.size() == 1); // one connection, though the first deadline has passed meanwhile
}

TEST_CASE("a busy port and unusable files are one clear sentence", "[verifier]") {
    const TestServer server{echo};
    HttpOptions again = server.options;
    again.port = server.server->port();
    CHECK_THROWS_WITH(verifier::HttpServer(again, echo), Catch::Contains("Address already in use"));
    again.certificate = "/nonexistent";
    CHECK_THROWS_AS(verifier::HttpServer(again, echo), verifier::HttpStartError);
    again = server.options;
    again.address = "localhost.example";
    CHECK_THROWS_WITH(verifier::HttpServer(again, echo), Catch::Contains("not an IP address"));
}

TEST_CASE("stopping answers what is under way and does not wait for idle clients", "[verifier]") {
    TestServer server{echo};
    const int idle = connect_to(server.server->port());
    const auto before = std::chrono::steady_clock::now();
    server.server->stop();
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds{2});
    ::close(idle);
}
