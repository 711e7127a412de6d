// SPDX-License-Identifier: Apache-2.0
// The relay: what it lets through to the verifier, what it answers itself, and that garbage on the line ends nothing.
#include <catch2/catch.hpp>

#include <cstring>
#include <thread>

#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "attest/relay/exchange.hpp"
#include "attest/relay/frame.hpp"
#include "attest/relay/relay.hpp"
#include "tests/unit/verifier_scratch.hpp"

using namespace casemate;
using namespace casemate::relay;
using nlohmann::json;

namespace {

struct Recorded {
    std::vector<VerifierCall> calls;
    std::vector<std::string> reports;
    std::string orders;
    VerifierAnswer next{200, R"({"ok":true})"};
    Exchange exchange{[this](const VerifierCall& call) { calls.push_back(call); return next; },
                      [this](const std::string& report) { reports.push_back(report); }, [this] { return orders; }};

    json ask(const json& request) { return json::parse(exchange.answer(request.dump())); }
};

} // namespace

TEST_CASE("a request becomes one call and its answer keeps the id", "[relay]") {
    Recorded line;
    const json answer = line.ask({{"id", 7}, {"method", "POST"}, {"path", "/v1/enrolments"}, {"token", "ab12"}, {"body", {{"a", 1}}}});
    CHECK(answer == json{{"id", 7}, {"status", 200}, {"body", {{"ok", true}}}});
    REQUIRE(line.calls.size() == 1);
    CHECK(line.calls[0].token == "ab12");
    CHECK(line.calls[0].body == R"({"a":1})");
}

TEST_CASE("nothing but plain calls to the API passes", "[relay]") {
    Recorded line;
    for (const char* path : {"/v2/x", "v1/x", "/v1/../x", "/v1/x?y", "/v1/x\r\nHost: y", "@evil/v1/", "/v1/%41"})
        CHECK(line.ask({{"id", 1}, {"method", "GET"}, {"path", path}})["status"] == 400);
    CHECK(line.ask({{"id", 1}, {"method", "DELETE"}, {"path", "/v1/reference"}})["status"] == 400);
    CHECK(line.ask({{"id", 1}, {"method", "GET"}, {"path", "/v1/x"}, {"token", "a\r\nX: y"}})["status"] == 400);
    CHECK(line.calls.empty());
    for (const char* nonsense : {"", "{}", "[1]", R"({"id":"x"})", R"({"id":-1})", "\xff\xfe"})
        CHECK(line.exchange.answer(nonsense).empty());
}

TEST_CASE("an unreachable or strange verifier is status 0", "[relay]") {
    Recorded line;
    line.next = {0, "connection refused"};
    const json silent = line.ask({{"id", 1}, {"method", "GET"}, {"path", "/v1/x"}});
    CHECK(silent["status"] == 0);
    CHECK(silent["body"]["error"]["detail"] == "connection refused");
    line.next = {200, "<html>"};
    CHECK(line.ask({{"id", 1}, {"method", "GET"}, {"path", "/v1/x"}})["status"] == 0);
    line.next = {200, json{{"x", std::string(max_payload, 'x')}}.dump()};
    CHECK(line.ask({{"id", 1}, {"method", "GET"}, {"path", "/v1/x"}})["body"]["error"]["code"] == "answer_too_large");
}

TEST_CASE("reports stay on the management host, the latest replaces the one before", "[relay]") {
    test::ScratchDirectory directory;
    const auto keep = report_to_file(directory / "status.json");
    keep("{\"n\":1}");
    keep("{\"n\":2}");
    std::ifstream file{directory / "status.json"};
    CHECK(json::parse(file)["n"] == 2);
    Recorded line;
    CHECK(line.ask({{"id", 1}, {"method", "POST"}, {"path", "/relay/report"}, {"body", {{"up", 1}}}})["status"] == 200);
    CHECK(line.reports == std::vector<std::string>{R"({"up":1})"});
    CHECK(line.calls.empty());
}

TEST_CASE("the answer to a report brings the operator's orders, if they are an object", "[relay]") {
    test::ScratchDirectory directory;
    const json report = {{"id", 1}, {"method", "POST"}, {"path", "/relay/report"}, {"body", {{"up", 1}}}};
    Recorded line;
    for (const char* text : {"", "{", "[]", "7"}) {
        line.orders = text;
        CHECK(line.ask(report)["body"] == json::object());
    }
    const auto waiting = waiting_in_file(directory / "orders.json");
    CHECK(waiting().empty());
    std::ofstream{directory / "orders.json"} << R"({"orders":[]})";
    line.orders = waiting();
    CHECK(line.ask(report)["body"] == json{{"orders", json::array()}});
    std::ofstream{directory / "orders.json"} << std::string(1 << 20, ' ');
    CHECK(waiting().size() < (1 << 20));
    CHECK(line.calls.empty());
}

TEST_CASE("the relay outlives garbage, an absent verifier, and stops when told", "[relay]") {
    test::ScratchDirectory directory;
    const std::filesystem::path path = directory / "uart";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener, 1) == 0);
    int stop[2];
    REQUIRE(::pipe(stop) == 0);
    RelayOptions options{path, "https://127.0.0.1:1", directory / "absent.pem", {}};
    options.call_time = std::chrono::milliseconds{2000};
    RelayEnd end = RelayEnd::no_line;
    std::thread thread{[&] { end = run_relay(options, stop[0]); }};
    const int line = ::accept(listener, nullptr, nullptr);

    std::vector<std::uint8_t> out(300'000, 0x55); // longer than any frame, no zero in it
    const std::string request = R"({"id":5,"method":"GET","path":"/v1/health"})";
    out[299'999] = 0;
    std::vector<std::uint8_t> frame(max_frame_size(request.size()));
    const auto size = encode_frame({reinterpret_cast<const std::uint8_t*>(request.data()), request.size()}, frame);
    out.insert(out.end(), frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size.value()));
    for (std::size_t at = 0; at < out.size();) {
        const ssize_t count = ::write(line, out.data() + at, out.size() - at);
        REQUIRE(count > 0);
        at += static_cast<std::size_t>(count);
    }
    std::vector<std::uint8_t> buffer(max_frame_size(max_payload));
    FrameReceiver receiver{buffer};
    json answer;
    for (std::uint8_t byte = 0; answer.is_null() && ::read(line, &byte, 1) == 1;)
        if (const auto got = receiver.push(byte); got && got->ok()) answer = json::parse(got->value());
    CHECK(answer["id"] == 5);
    CHECK(answer["status"] == 0);

    REQUIRE(::write(stop[1], "x", 1) == 1);
    thread.join();
    CHECK(end == RelayEnd::stopped);
    for (const int fd : {line, listener, stop[0], stop[1]}) ::close(fd);
}
