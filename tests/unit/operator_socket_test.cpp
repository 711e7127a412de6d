// SPDX-License-Identifier: Apache-2.0
// What a session answers its operator, and that no client, however hostile or slow, holds it up.
#include "dlaunch/session/operator_socket.hpp"
#include "dlaunch/session/order_desk.hpp"
#include "tests/unit/verifier_scratch.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <sys/socket.h>
#include <sys/stat.h>

using namespace casemate::session;
using casemate::model::UniqueFd;
using nlohmann::json;
using std::chrono::seconds;

namespace {

struct Table {
    json status = {{"vms", json::array()}};
    OperatorSocket socket{[this] { return status; }};
    OperatorSocket::Time now = std::chrono::steady_clock::now();

    UniqueFd client() {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        socket.admit(UniqueFd{ends[0]}, now);
        return UniqueFd{ends[1]};
    }
    void step(int times = 1) {
        for (int i = 0; i < times; ++i) socket.step(now);
    }
};

void say(const UniqueFd& client, const std::string& text) {
    REQUIRE(::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
}

std::string heard(const UniqueFd& client) {
    std::string all;
    char buffer[65536];
    for (ssize_t count = 0; (count = ::recv(client.get(), buffer, sizeof buffer, MSG_DONTWAIT)) > 0;)
        all.append(buffer, static_cast<std::size_t>(count));
    return all;
}

bool hung_up(const UniqueFd& client) {
    char byte;
    return ::recv(client.get(), &byte, 1, MSG_DONTWAIT) == 0;
}

std::vector<json> lines(const std::string& text) {
    std::vector<json> all;
    for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
        all.push_back(json::parse(text.substr(at, end - at)));
    return all;
}

json answer_to(const std::string& request) {
    Table table;
    const UniqueFd client = table.client();
    say(client, request + "\n");
    table.step(2); // more than one buffer of it
    const auto answers = lines(heard(client));
    REQUIRE(answers.size() == 1);
    return answers[0];
}

} // namespace

TEST_CASE("status is answered with the live report, or with a reason why there is none", "[operator]") {
    Table table;
    const UniqueFd client = table.client();
    say(client, "{\"do\":\"status\"}\n");
    table.step();
    CHECK(lines(heard(client)).at(0) == json{{"ok", true}, {"status", table.status}});
    table.status = nullptr;
    say(client, "{\"do\":\"status\"}\n");
    table.step();
    CHECK(lines(heard(client)).at(0).at("error") == "no_status");
}

TEST_CASE("a request that is no request gets a reason", "[operator]") {
    for (const char* text : {"", "{", "[]", "7", "\xff\xfe", "{\"do\":\"status\"", "null"})
        CHECK(answer_to(text).at("error") == "malformed");
    for (const char* text : {"{}", R"({"do":7})", R"({"do":"shutdown"})", R"({"do":["status"]})"})
        CHECK(answer_to(text).at("error") == "unknown_request");
    for (const char* text : {R"({"do":"console"})", R"({"do":"console","vm":7})", R"({"do":"console","vm":"net0"})"})
        CHECK(answer_to(text).at("error") == "unknown_vm");
    CHECK(answer_to(std::string(OperatorSocket::max_request, '[')).at("error") == "malformed");
}

TEST_CASE("a request in pieces is one request, and two in one piece are two", "[operator]") {
    Table table;
    const UniqueFd client = table.client();
    say(client, "{\"do\":\"sta");
    table.step(3);
    CHECK(heard(client).empty());
    say(client, "tus\"}\n{\"do\":\"status\"}\n{\"do\":\"status\"}\n");
    ::shutdown(client.get(), SHUT_WR);
    table.step(5);
    CHECK(lines(heard(client)).size() == 3);
    CHECK(hung_up(client));
}

TEST_CASE("a request without end is refused and ends the connection", "[operator]") {
    Table table;
    const UniqueFd client = table.client();
    say(client, std::string(OperatorSocket::max_request, 'x'));
    table.step();
    say(client, "x\n{}\n");
    table.step(3);
    const auto answers = lines(heard(client));
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].at("error") == "too_long");
    CHECK(table.socket.clients() == 0);
}

TEST_CASE("a console gives the last 200 lines of its VM and nothing of another", "[operator]") {
    Table table;
    for (int i = 0; i < 250; ++i) table.socket.console_line("net0", "line " + std::to_string(i));
    table.socket.console_line("disk0", "secret");
    const UniqueFd client = table.client();
    say(client, "{\"do\":\"console\",\"vm\":\"net0\"}\n");
    table.step();
    const auto answers = lines(heard(client));
    REQUIRE(answers.size() == 201);
    CHECK(answers[0] == json{{"ok", true}, {"vm", "net0"}, {"lines", 200}});
    CHECK(answers[1] == json{{"line", "line 50"}});
    CHECK(answers[200] == json{{"line", "line 249"}});
    table.socket.console_line("net0", "later");
    table.step();
    CHECK(heard(client).empty()); // it did not ask to follow
}

TEST_CASE("a console that is followed goes on until its client leaves", "[operator]") {
    Table table;
    table.socket.console_line("net0", "first");
    const UniqueFd client = table.client();
    say(client, "{\"do\":\"console\",\"vm\":\"net0\",\"follow\":true}\n");
    table.step();
    CHECK(lines(heard(client)).size() == 2);
    table.now += seconds{3600};
    table.socket.console_line("disk0", "not asked for");
    table.socket.console_line("net0", "a \xff\x1b[2J b");
    table.step();
    const std::string text = heard(client);
    CHECK(lines(text).at(0).at("line").get<std::string>().starts_with("a "));
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(table.socket.clients() == 1);
    ::shutdown(client.get(), SHUT_WR);
    table.step(2);
    CHECK(table.socket.clients() == 0);
}

TEST_CASE("a client that takes nothing is dropped and no other notices", "[operator]") {
    Table table;
    table.socket.console_line("net0", "first");
    const UniqueFd slow = table.client();
    const UniqueFd good = table.client();
    say(slow, "{\"do\":\"console\",\"vm\":\"net0\",\"follow\":true}\n");
    table.step();
    SECTION("because too much waits for it") {
        for (int i = 0; i < 5000 && table.socket.clients() == 2; ++i) {
            table.socket.console_line("net0", std::string(ConsoleHistory::max_line, 'x'));
            table.step();
        }
    }
    SECTION("because it makes no progress") {
        for (int i = 0; i < 1000; ++i) table.socket.console_line("net0", std::string(ConsoleHistory::max_line, 'x'));
        table.step();
        CHECK(table.socket.clients() == 2);
        table.now = std::chrono::steady_clock::now() + OperatorSocket::patience + seconds{1};
        table.step();
    }
    CHECK(table.socket.clients() == 1);
    say(good, "{\"do\":\"status\"}\n");
    table.step();
    CHECK(lines(heard(good)).size() == 1);
}

TEST_CASE("clients are bounded, and one that asks nothing makes room", "[operator]") {
    Table table;
    std::vector<UniqueFd> all;
    for (std::size_t i = 0; i < OperatorSocket::max_clients; ++i) all.push_back(table.client());
    const UniqueFd late = table.client();
    CHECK(lines(heard(late)).at(0).at("error") == "busy");
    CHECK(hung_up(late));
    table.now += OperatorSocket::idle_limit + seconds{1};
    table.step();
    CHECK(table.socket.clients() == 0);
}

TEST_CASE("consoles are bounded: firmware that prints names makes no more of them", "[operator]") {
    ConsoleHistory history;
    for (std::size_t i = 0; i < ConsoleHistory::max_consoles; ++i) CHECK(history.add("vm" + std::to_string(i), "x"));
    CHECK_FALSE(history.add("another", "x"));
    CHECK(history.add("vm0", std::string(5000, 'x')));
    CHECK(history.of("vm0")->back().size() == ConsoleHistory::max_line);
    for (const char* name : {"", "Net0", "a name", "../x", "sixteen-letters-"}) CHECK_FALSE(ConsoleHistory{}.add(name, "x"));
}

TEST_CASE("an operator's directory is ours alone or it is refused", "[operator]") {
    const casemate::test::ScratchDirectory scratch;
    const auto path = scratch.path() / "operators";
    CHECK_FALSE(OperatorDirectory::open(path).ok());
    REQUIRE(OperatorDirectory::create(path).ok());
    struct stat about {};
    ::stat(path.c_str(), &about);
    CHECK((about.st_mode & 07777) == 0700);
    const auto link = scratch.path() / "link";
    std::filesystem::create_directory_symlink(path, link);
    CHECK_FALSE(OperatorDirectory::create(link).ok());
    ::chmod(path.c_str(), 0750);
    CHECK_FALSE(OperatorDirectory::create(path).ok());
    std::ofstream{scratch.path() / "file"};
    CHECK_FALSE(OperatorDirectory::create(scratch.path() / "file").ok());
    if (::geteuid() != 0) return;
    ::chmod(path.c_str(), 0700);
    REQUIRE(::chown(path.c_str(), 65534, 65534) == 0);
    CHECK_FALSE(OperatorDirectory::create(path).ok());
}

TEST_CASE("a session is found by its number; dead ones and strangers' files are not sessions", "[operator]") {
    const casemate::test::ScratchDirectory scratch;
    const auto path = scratch.path() / "operators";
    auto made = OperatorDirectory::create(path);
    REQUIRE(made.ok());
    const OperatorDirectory& directory = made.value();
    CHECK(directory.sessions().empty());
    { REQUIRE(directory.listen(7).ok()); } // a session that died
    std::ofstream{path / "8"} << "no socket";
    {
        auto socket = OperatorSocket::open(path, [] { return json{{"uptime_ms", 5}}; });
        REQUIRE(socket.ok());
        CHECK_FALSE(std::filesystem::exists(path / "7"));
        CHECK(directory.sessions() == std::vector<int>{::getpid()});
        std::filesystem::create_symlink(path / std::to_string(::getpid()), path / "9");
        CHECK_FALSE(directory.connect(9).ok());
        CHECK_FALSE(directory.connect(8).ok());
        auto connection = directory.connect(::getpid());
        REQUIRE(connection.ok());
        say(connection.value(), "{\"do\":\"status\"}\n");
        socket.value()->step(std::chrono::steady_clock::now());
        CHECK(lines(heard(connection.value())).at(0).at("status") == json{{"uptime_ms", 5}});
    }
    CHECK(directory.sessions().empty());
    CHECK(std::filesystem::exists(path / "8"));
}

TEST_CASE("an order is answered when the hypervisor has answered it, and only to who gave it", "[operator]") {
    Table table;
    std::vector<std::string> placed;
    table.socket.on_order([&](const std::string& vm, const std::string& order) -> std::optional<std::uint64_t> {
        if (placed.size() == 2) return std::nullopt;
        placed.push_back(order + " " + vm);
        return placed.size();
    });
    const UniqueFd first = table.client(), second = table.client(), third = table.client();
    say(first, R"({"do":"vm","order":"stop","vm":"disk0"})" "\n" R"({"do":"status"})" "\n");
    say(second, R"({"do":"vm","order":"restart","vm":"agent"})" "\n");
    table.step();
    say(third, R"({"do":"vm","order":"start","vm":"net0"})" "\n");
    table.step(3);
    CHECK(placed == std::vector<std::string>{"stop disk0", "restart agent"});
    CHECK(lines(heard(third)).at(0).at("error") == "busy");
    CHECK(heard(first).empty());
    table.socket.order_done(2, 3);
    table.socket.order_done(7, 0);
    table.step();
    CHECK(heard(first).empty());
    CHECK(lines(heard(second)).at(0).at("error") == "not_a_driver");
    table.socket.order_done(1, 0);
    table.step(2);
    const auto answers = lines(heard(first));
    REQUIRE(answers.size() == 2);
    CHECK(answers[0] == json{{"ok", true}});
    CHECK(answers[1].contains("status"));
}

TEST_CASE("an order that nobody answers, or that is none, is refused", "[operator]") {
    Table table;
    table.socket.on_order([](const std::string&, const std::string&) { return std::optional<std::uint64_t>{1}; });
    const UniqueFd client = table.client();
    say(client, R"({"do":"vm","order":"stop","vm":"disk0"})" "\n");
    table.step();
    table.now += OperatorSocket::order_limit + seconds{1};
    table.step();
    CHECK(lines(heard(client)).at(0).at("error") == "no_answer");
    table.socket.order_done(1, 0); // too late
    table.step();
    CHECK(heard(client).empty());
    for (const char* text : {R"({"do":"vm"})", R"({"do":"vm","order":"shoot","vm":"net0"})", R"({"do":"vm","order":1,"vm":"net0"})"})
        CHECK(answer_to(text).at("error") == "unknown_request");
    for (const char* text : {R"({"do":"vm","order":"stop"})", R"({"do":"vm","order":"stop","vm":"../net0"})", R"({"do":"vm","order":"stop","vm":7})"})
        CHECK(answer_to(text).at("error") == "unknown_vm");
    CHECK(answer_to(R"({"do":"vm","order":"stop","vm":"net0"})").at("error") == "busy"); // nobody takes orders
}

TEST_CASE("orders wait in a file until their results are reported or they are too old", "[operator]") {
    const casemate::test::ScratchDirectory scratch;
    const auto file = scratch.path() / "orders.json";
    const auto offered = [&] {
        std::ifstream in{file};
        return json::parse(in)["orders"];
    };
    OrderDesk desk{file};
    std::vector<std::pair<std::uint64_t, std::uint64_t>> answered;
    const auto note = [&](std::uint64_t id, std::uint64_t error) { answered.emplace_back(id, error); };
    const auto now = std::chrono::steady_clock::now();
    CHECK(desk.place("disk0", "stop", now) == 1U);
    CHECK(desk.place("net0", "restart", now + seconds{10}) == 2U);
    CHECK(offered() == json::parse(R"([{"id":1,"vm":"disk0","order":"stop"},{"id":2,"vm":"net0","order":"restart"}])"));
    for (const char* junk : {"null", "{}", R"({"agent":7})", R"({"agent":{"operator_orders":[7,{},{"id":-1,"error":0},{"id":1,"error":"x"}]}})"})
        desk.take(json::parse(junk), note);
    CHECK(answered.empty());
    const json report = json::parse(R"({"agent":{"operator_orders":[{"id":1,"error":4},{"id":9,"error":0}]}})");
    desk.take(report, note);
    desk.take(report, note); // the agent repeats the latest
    CHECK(answered == decltype(answered){{1, 4}});
    CHECK(offered().size() == 1);
    desk.tick(now + OrderDesk::patience + seconds{5});
    CHECK(offered().size() == 1);
    desk.tick(now + OrderDesk::patience + seconds{11});
    CHECK(offered().empty());
    for (std::size_t i = 0; i < OrderDesk::max_waiting; ++i) CHECK(desk.place("net0", "stop", now).has_value());
    CHECK_FALSE(desk.place("net0", "stop", now).has_value());
    CHECK_FALSE(OrderDesk{scratch.path() / "absent" / "orders.json"}.place("net0", "stop", now).has_value());
}
