// SPDX-License-Identifier: Apache-2.0
// Server-sent events without a network: what a stream carries, where it goes on, how many there may be, and when it ends.
#include <catch2/catch.hpp>

#include "attest/verifier/events.hpp"
#include "tests/unit/store_backends.hpp"
#include "tests/unit/verifier_fixture.hpp"

using namespace casemate;
using namespace casemate::test;
using verifier::Context;
using verifier::Events;
using verifier::HttpStream;

namespace {

bool always() { return true; }

struct Scene {
    explicit Scene(store::Store& store) : context{store, {}, {}, [] { return store::Millis{5}; }, nullptr} {}
    Context context;
    Events events{context};

    std::shared_ptr<HttpStream> open(const std::string& last_event_id = "", const char* name = "vera") {
        auto opened = events.open({name, verifier::Role::viewer}, last_event_id, always);
        return opened ? opened.value() : nullptr;
    }
    std::string refusal(const std::string& last_event_id, const char* name = "vera") {
        const auto opened = events.open({name, verifier::Role::viewer}, last_event_id, always);
        return opened ? "" : std::to_string(opened.error().status) + " " + opened.error().code;
    }
};

void write_rows(store::Store& store, int from, int count) {
    const auto unit = store.begin();
    for (int i = from; i < from + count; ++i) store.audit({i, "alice", "test", "row " + std::to_string(i), "done", ""});
    unit->commit();
}

/// What comes until `ids` events were seen, or the stream ends, or nothing came for long.
std::string drain(HttpStream& stream, std::size_t ids) {
    std::string all;
    std::size_t seen = 0;
    for (int quiet = 0; seen < ids && quiet < 300;) {
        const std::optional<std::string> piece = stream.next();
        if (!piece) break;
        if (piece->empty()) {
            ++quiet;
            ::usleep(10'000);
        }
        for (std::size_t at = piece->find("event: audit"); at != std::string::npos; at = piece->find("event: audit", at + 1)) ++seen;
        all += *piece;
    }
    return all;
}

/// The ids of audit events, in the order in which they came.
std::vector<int> ids_of(const std::string& text) {
    std::vector<int> ids;
    for (std::size_t at = text.find("event: audit"); at != std::string::npos; at = text.find("event: audit", at + 1)) {
        const std::size_t line = text.rfind("id: ", at);
        ids.push_back(std::stoi(text.substr(line + 4)));
    }
    return ids;
}

std::vector<int> numbers(int from, int to) {
    std::vector<int> all;
    for (int i = from; i <= to; ++i) all.push_back(i);
    return all;
}

} // namespace

TEMPLATE_TEST_CASE("a stream carries what any replica writes from now on, each row once", "[verifier][events]", OnSqlite, OnPostgresql) {
    const TestType back_end;
    const auto store = back_end.open(), elsewhere = back_end.open();
    write_rows(*store, 1, 3);
    Scene scene{*store};
    const auto stream = scene.open();
    REQUIRE(stream);
    CHECK(*stream->next() == "retry: 2000\nid: 3\nevent: begin\ndata: {\"sequence\":3}\n\n");
    write_rows(*elsewhere, 4, 1);
    const std::string text = drain(*stream, 1);
    CHECK(text == "id: 4\nevent: audit\ndata: {\"action\":\"test\",\"actor\":\"alice\",\"at\":4,\"detail\":\"\",\"object\":\"row 4\","
                  "\"outcome\":\"done\",\"sequence\":4}\n\n");
    write_rows(*elsewhere, 5, 2);
    CHECK(ids_of(drain(*stream, 2)) == numbers(5, 6));
}

TEMPLATE_TEST_CASE("who comes back with an id goes on after it, without loss or doubling", "[verifier][events]", OnSqlite, OnPostgresql) {
    const TestType back_end;
    const auto store = back_end.open();
    constexpr int count = static_cast<int>(verifier::AuditTail::kept) * 2 + 100; // more than are kept
    write_rows(*store, 1, count);
    Scene scene{*store};
    CHECK(ids_of(drain(*scene.open("0"), count)) == numbers(1, count));
    // Broken off anywhere, and taken up on another replica.
    const auto elsewhere = back_end.open();
    Scene other{*elsewhere};
    for (const int after : {1, 255, count - 1025, count - 1024, count - 1023, count - 1})
        CHECK(ids_of(drain(*other.open(std::to_string(after)), static_cast<std::size_t>(count - after))) == numbers(after + 1, count));
    CHECK(*other.open(std::to_string(count))->next() == "retry: 2000\nid: " + std::to_string(count) + "\nevent: begin\ndata: {\"sequence\":" + std::to_string(count) + "}\n\n");
}

TEST_CASE("a stream that nobody had open for long goes on with the newest rows", "[verifier][events]") {
    const OnSqlite back_end;
    const auto store = back_end.open();
    Scene scene{*store};
    write_rows(*store, 1, 1);
    CHECK(ids_of(drain(*scene.open("0"), 1)) == numbers(1, 1));
    write_rows(*store, 2, 5000);
    const auto stream = scene.open();
    (void)stream->next();
    write_rows(*store, 5002, 1);
    CHECK(ids_of(drain(*stream, 1)) == numbers(5002, 5002));
}

TEST_CASE("a piece is bounded, however much there is", "[verifier][events]") {
    const OnSqlite back_end;
    const auto store = back_end.open();
    const std::string detail(1000, 'd');
    const auto unit = store->begin();
    for (int i = 0; i < 1000; ++i) store->audit({1, "a", "b", "c", "d", detail});
    unit->commit();
    Scene scene{*store};
    const auto stream = scene.open("0");
    (void)stream->next();
    std::size_t seen = 0;
    for (int i = 0; i < 1000 && seen < 1000; ++i) {
        const std::string piece = *stream->next();
        CHECK(piece.size() <= 64 * 1024);
        seen += ids_of(piece).size();
    }
    CHECK(seen == 1000);
}

TEST_CASE("an id that is none of the trail's is refused", "[verifier][events]") {
    const OnSqlite back_end;
    const auto store = back_end.open();
    write_rows(*store, 1, 3);
    Scene scene{*store};
    for (const char* bad : {"-1", "01", "+1", "1 ", " 1", "x", "1x", "0x1", "99999999999999999999", "1\n2", "00"})
        CHECK(scene.refusal(bad) == "400 last_event_id");
    CHECK(scene.refusal("4") == "409 last_event_id"); // of a trail that was longer
    CHECK(scene.refusal("3") == "");
}

TEST_CASE("streams are bounded, for one operator and in all, and a closed one makes room", "[verifier][events]") {
    const OnSqlite back_end;
    const auto store = back_end.open();
    Scene scene{*store};
    scene.context.settings.max_streams = 5;
    scene.context.settings.max_own_streams = 3;
    std::vector<std::shared_ptr<HttpStream>> open;
    for (int i = 0; i < 3; ++i) open.push_back(scene.open());
    CHECK(scene.refusal("") == "429 streams");
    open.push_back(scene.open("", "oscar"));
    open.push_back(scene.open("", "oscar"));
    REQUIRE(open.back());
    CHECK(scene.refusal("", "olga") == "429 streams");
    open.erase(open.begin());
    CHECK(scene.refusal("", "olga") == "");
    CHECK(scene.open());
}

TEST_CASE("a silent stream has heartbeats, and ends when its caller may read no more", "[verifier][events]") {
    const OnSqlite back_end;
    const auto store = back_end.open();
    Scene scene{*store};
    scene.context.settings.heartbeat = 0;
    bool allowed = true;
    const auto stream = scene.events.open({"vera", verifier::Role::viewer}, "", [&] { return allowed; }).value();
    (void)stream->next();
    CHECK(*stream->next() == ": alive\n\n");
    write_rows(*store, 1, 1);
    allowed = false;
    CHECK_FALSE(stream->next()); // not even what is there already
}

TEST_CASE("a store that fails ends the stream, so that the client asks again", "[verifier][events]") {
    verifier::set_log_level(verifier::LogLevel::error);
    const OnSqlite back_end;
    const auto store = back_end.open();
    Scene scene{*store};
    const auto stream = scene.open();
    (void)stream->next();
    back_end.execute("DROP TABLE audit_head");
    std::optional<std::string> piece{""};
    for (int i = 0; i < 100 && piece; ++i) {
        piece = stream->next();
        ::usleep(10'000);
    }
    CHECK_FALSE(piece);
}

TEST_CASE("the route of events is for viewers, and a removed token ends what it opened", "[verifier][events]") {
    verifier::Settings settings;
    settings.heartbeat = 0;
    TestVerifier verifier{{}, settings};
    const Reply made = verifier.as_operator("POST", "/v1/tokens", R"({"name":"vera","role":"viewer","lifetime_seconds":600})");
    verifier::HttpRequest request{"GET", "/v1/events", "Bearer " + made.body["token"].get<std::string>(), "", "", "", "127.0.0.1:9"};
    const verifier::HttpAnswer answer = verifier.service->answer(request);
    REQUIRE(answer.stream);
    CHECK(answer.status == 200);
    CHECK(answer.content_type == "text/event-stream");
    CHECK(answer.stream->next()->find("event: begin") != std::string::npos);
    CHECK(answer.stream->next());
    verifier.now += 601'000;
    CHECK_FALSE(answer.stream->next()); // expired
    verifier.now -= 601'000;
    const verifier::HttpAnswer again = verifier.service->answer(request);
    (void)again.stream->next();
    CHECK(verifier.as_operator("DELETE", "/v1/tokens/" + made.body["token_id"].get<std::string>()).status == 200);
    CHECK_FALSE(again.stream->next());
    const std::int64_t rows = verifier.store->audit_head().sequence;
    request.last_event_id = "nonsense";
    request.authorization = std::string("Bearer ") + operator_token;
    CHECK(verifier.service->answer(request).status == 400);
    CHECK(verifier.store->audit_head().sequence == rows); // no row, which would be an event
    request.authorization = "Bearer " + made.body["token"].get<std::string>();
    CHECK(verifier.service->answer(request).status == 403); // the token is no operator's any more: nothing is said about the id
}
