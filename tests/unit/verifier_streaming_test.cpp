// SPDX-License-Identifier: Apache-2.0
// Streams over real connections: chunks arrive as they are made, a client that does not read costs nobody else anything, and a server that
// stops ends them in order.
#include <catch2/catch.hpp>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/unit/tls_client.hpp"
#include "tests/unit/verifier_server.hpp"

using namespace casemate;
using namespace casemate::test;
using verifier::HttpAnswer;
using verifier::HttpOptions;
using verifier::HttpRequest;

namespace {

std::atomic<int> alive{0};

/// Says what `say` says, each time it is asked.
class Talker final : public verifier::HttpStream {
public:
    explicit Talker(std::function<std::optional<std::string>()> say) : say_{std::move(say)} { ++alive; }
    ~Talker() override { --alive; }
    std::optional<std::string> next() override { return say_(); }

private:
    std::function<std::optional<std::string>()> say_;
};

HttpOptions quick() {
    HttpOptions options;
    options.stream_interval = std::chrono::milliseconds{5};
    return options;
}

/// "/count": one, two, three, the end. "/flood": without end, much. "/quiet": nothing, without end. "/late": nothing for long.
HttpAnswer talk(const HttpRequest& request) {
    HttpAnswer answer{200, "plain"};
    if (request.target == "/count") answer.stream = std::make_shared<Talker>([count = 0]() mutable {
        return ++count > 3 ? std::nullopt : std::optional<std::string>{"number " + std::to_string(count) + "\n"};
    });
    if (request.target == "/flood") answer.stream = std::make_shared<Talker>([] { return std::string(32 * 1024, 'x'); });
    if (request.target == "/quiet") answer.stream = std::make_shared<Talker>([] { return std::string{}; });
    if (request.target == "/late") answer.stream = std::make_shared<Talker>([count = 0]() mutable -> std::optional<std::string> {
        ++count; // some 5 ms apart: a second in all
        return count < 200 ? "" : count == 200 ? std::optional<std::string>{"late at last"} : std::nullopt;
    });
    if (answer.stream) answer.content_type = "text/event-stream";
    return answer;
}

bool none_alive() {
    for (int i = 0; i < 1000 && alive > 0; ++i) ::usleep(10'000);
    return alive == 0;
}

constexpr const char* request_end = " HTTP/1.1\r\nHost: x\r\n\r\n";

} // namespace

TEST_CASE("a stream arrives in chunks, with the headers of every answer, and ends", "[verifier][stream]") {
    const TestServer server{talk, quick()};
    TlsClient client{server.server->port()};
    REQUIRE(client.send(std::string("GET /count") + request_end));
    const std::string all = client.receive("\r\n0\r\n\r\n");
    for (const char* part : {"HTTP/1.1 200 OK\r\n", "Content-Type: text/event-stream\r\n", "Cache-Control: no-store\r\n", "Transfer-Encoding: chunked\r\n",
                             "X-Content-Type-Options: nosniff\r\n", "Connection: close\r\n", "9\r\nnumber 1\n\r\n9\r\nnumber 2\n\r\n9\r\nnumber 3\n\r\n0\r\n\r\n"}) {
        CAPTURE(part, all);
        CHECK(all.find(part) != std::string::npos);
    }
    CHECK(client.receive("never").empty()); // closed
    CHECK(none_alive());
}

TEST_CASE("a client that does not read its stream is cut off, and starves nobody", "[verifier][stream]") {
    HttpOptions options = quick();
    options.request_time = std::chrono::milliseconds{500};
    const TestServer server{talk, options};
    std::vector<std::unique_ptr<TlsClient>> lazy;
    for (int i = 0; i < 20; ++i) {
        lazy.push_back(std::make_unique<TlsClient>(server.server->port()));
        REQUIRE(lazy.back()->send(std::string("GET /flood") + request_end));
    }
    for (int i = 0; i < 20; ++i) CHECK(server.call({"GET", "/plain", "", ""}).body == "plain");
    CHECK(none_alive()); // although all of them are still there
    TlsClient other{server.server->port()};
    REQUIRE(other.send(std::string("GET /count") + request_end));
    CHECK(other.receive("\r\n0\r\n\r\n").find("number 3") != std::string::npos);
}

TEST_CASE("a stream that is silent for longer than a request may take goes on", "[verifier][stream]") {
    HttpOptions options = quick();
    options.request_time = std::chrono::milliseconds{200};
    const TestServer server{talk, options};
    TlsClient client{server.server->port()};
    REQUIRE(client.send(std::string("GET /late") + request_end));
    CHECK(client.receive("\r\n0\r\n\r\n").ends_with("c\r\nlate at last\r\n0\r\n\r\n"));
}

TEST_CASE("a client that leaves, or goes on talking, loses its stream", "[verifier][stream]") {
    const TestServer server{talk, quick()};
    {
        TlsClient gone{server.server->port()};
        REQUIRE(gone.send(std::string("GET /quiet") + request_end));
        REQUIRE(gone.receive("\r\n\r\n").find("200 OK") != std::string::npos);
        CHECK(alive == 1);
    }
    CHECK(none_alive());
    TlsClient talkative{server.server->port()};
    REQUIRE(talkative.send(std::string("GET /quiet") + request_end));
    REQUIRE(talkative.receive("\r\n\r\n").find("200 OK") != std::string::npos);
    (void)talkative.send("GET /plain HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(talkative.receive("never").empty());
    CHECK(none_alive());
}

TEST_CASE("a server that stops ends its streams in order", "[verifier][stream]") {
    TestServer server{talk, quick()};
    TlsClient quiet{server.server->port()}, flooded{server.server->port()};
    REQUIRE(quiet.send(std::string("GET /quiet") + request_end));
    REQUIRE(quiet.receive("\r\n\r\n").find("200 OK") != std::string::npos);
    REQUIRE(flooded.send(std::string("GET /flood") + request_end)); // and does not read
    std::thread stopping{[&] { server.server->stop(); }};
    CHECK(quiet.receive("never").ends_with("0\r\n\r\n"));
    stopping.join();
    server.server.reset();
    CHECK(none_alive());
}
