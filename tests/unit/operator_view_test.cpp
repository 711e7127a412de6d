// SPDX-License-Identifier: Apache-2.0
// What an operator sees: the tables, the client's sentences, and that no guest steers the terminal.
#include "dlaunch/session/operator_client.hpp"
#include "dlaunch/session/operator_socket.hpp"
#include "dlaunch/session/operator_view.hpp"
#include "tests/unit/verifier_scratch.hpp"

#include <catch2/catch.hpp>

#include <thread>

using namespace casemate::session;
using nlohmann::json;

namespace {

const char* const status_text = R"({"session":{"pid":42,"running_ms":61000},"report_age_ms":1500,"uptime_ms":60000,
 "agent":{"verdict":"affirming"},
 "vms":[{"name":"agent","state":"running","starts":1,"devices":[],"core":0,"cpu_share":0.427,"exits":{"msr":5,"hlt":0},"exits_per_second":{"msr":0.25,"hlt":0}},
        {"name":"net0","state":"stopped","starts":2,"devices":["00:03.0"],"exits":{"msr":9,"port":1},"exits_per_second":null}],
 "devices":[{"location":"00:03.0","id":"8086:10d3","state":"assigned","holder":"net0","lease_ms_left":44999,"reset_kind":"none"},
            {"location":"00:04.0","id":"1b36:0010","state":"quarantined","holder":null,"lease_ms_left":0,"reset_kind":"flr"}]})";

std::string sentence_of(const std::filesystem::path& directory, std::optional<int> session = std::nullopt) {
    const auto client = OperatorClient::connect(directory, session);
    return client.ok() ? "" : client.error().text;
}

} // namespace

TEST_CASE("top shows each VM's rates by the types that occur, and each device's lease", "[operator]") {
    CHECK(top_view(json::parse(status_text)) == "  session 42, up 60 s, verdict affirming, reported 1 s ago\n\n"
                                                "  VM     STATE    STARTS  DEVICES  CORE  CPU  EXITS/S  msr  port\n"
                                                "  agent  running  1       -        0     43%  0.2      0.2  -\n"
                                                "  net0   stopped  2       00:03.0  -     -    -        -    -\n\n"
                                                "  DEVICE   ID         STATE        HOLDER  LEASE  RESET\n"
                                                "  00:03.0  8086:10d3  assigned     net0    44 s   none\n"
                                                "  00:04.0  1b36:0010  quarantined  -       -      flr\n");
    CHECK_NOTHROW(top_view(nullptr));
    CHECK_NOTHROW(top_view(json{{"link_ends", {1, "x", nullptr}}}));
    CHECK_NOTHROW(top_view(json{{"vms", {1, "x", nullptr}}, {"devices", {7}}}));
}

TEST_CASE("top shows what each VM sends over its links, and why a driver was refused", "[operator]") {
    json status = json::parse(status_text);
    const std::string without = top_view(status);
    status["link_ends"] = json::parse(R"([
        {"vm":"net0","peer":"client0","state":"up","refusal":"none","counts":{"packets":9,"bytes":134217728},"drops":{"receiver_down":2,"no_room":3},
         "counts_per_second":{"packets":1200.4,"bytes":9000000.0,"notifications":0.25,"interrupts":12.0}},
        {"vm":"client0","peer":"net0","state":"refused","refusal":"buffer_outside","counts":{"bytes":0},"drops":{},"counts_per_second":null}])");
    CHECK(top_view(status) == without + "\n"
          "  LINK FROM  TO       STATE                     PACKETS/S  BYTES/S  NOTIFY/S  INTR/S  BYTES      DROPPED\n"
          "  net0       client0  up                        1200       9000000  0.2       12      134217728  5\n"
          "  client0    net0     refused (buffer_outside)  -          -        -         -       0          0\n");
}

TEST_CASE("nothing that a guest prints steers the operator's terminal", "[operator]") {
    CHECK(printable("eth0: up\t1000 Mb/s") == "eth0: up 1000 Mb/s");
    CHECK(printable("\x1b]0;title\x07 \x9b""2J \xc2\x9b""2J\r\x7f") == "?]0;title? ?2J ??2J??");
    json status = json::parse(status_text);
    status["vms"][0]["name"] = "a\x1b[2J";
    status["vms"][0]["exits"]["\x1b[2J"] = 7U;
    status["devices"][0]["holder"] = "\x1b[2J";
    status["link_ends"] = {{{"vm", "\x1b[2J"}, {"peer", "\x1b[2J"}, {"state", "refused"}, {"refusal", "\x1b[2J"}}};
    CHECK(top_view(status).find('\x1b') == std::string::npos);
}

TEST_CASE("a client that finds no session, or several, says so in a sentence", "[operator]") {
    const casemate::test::ScratchDirectory scratch;
    const auto path = scratch.path() / "operators";
    const std::string none = "no session is running: start one with ./casemate up --keep-running";
    CHECK(sentence_of(path) == none);
    const auto directory = OperatorDirectory::create(path);
    CHECK(sentence_of(path) == none);
    const auto first = directory.value().listen(100);
    const auto second = directory.value().listen(23);
    CHECK(sentence_of(path) == "several sessions are running: choose with --session PID, one of 23, 100");
    CHECK(sentence_of(path, 100).empty());
    CHECK(sentence_of(path, 101) == "there is no session 101");
    std::filesystem::create_directory_symlink(path, scratch.path() / "link");
    CHECK(sentence_of(scratch.path() / "link").starts_with("cannot open the directory"));
}

TEST_CASE("a client gets the session's answers, and its refusals as sentences", "[operator]") {
    const casemate::test::ScratchDirectory scratch;
    const auto path = scratch.path() / "operators";
    auto socket = OperatorSocket::open(path, [] { return json{{"uptime_ms", 5}}; });
    socket.value()->console_line("net0", "hello");
    auto client = OperatorClient::connect(path, std::nullopt);
    REQUIRE(client.ok());
    std::atomic<bool> done{false};
    std::thread session{[&] {
        while (!done) socket.value()->step(std::chrono::steady_clock::now());
    }};
    const auto status = client.value().ask({{"do", "status"}});
    const auto refused = client.value().ask({{"do", "console"}, {"vm", "net1"}});
    const auto console = client.value().ask({{"do", "console"}, {"vm", "net0"}});
    const auto line = client.value().next(std::chrono::seconds{5});
    const auto nothing = client.value().next(std::chrono::milliseconds{50});
    done = true;
    session.join();
    CHECK((status.ok() && status.value()["status"]["uptime_ms"] == 5));
    CHECK(refused.error().text == "no VM of this name has printed anything");
    CHECK((console.ok() && console.value()["lines"] == 1));
    CHECK((line.ok() && line.value()["line"] == "hello"));
    CHECK(nothing.error().text == "the session does not answer");
    socket.value().reset();
    CHECK(client.value().ask({{"do", "status"}}).ok() == false);
}
