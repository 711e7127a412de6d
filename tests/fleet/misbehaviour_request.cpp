// SPDX-License-Identifier: Apache-2.0
// Requests that no agent makes: other tokens, bodies that are no JSON or too much of it, clients that do not go on.
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "tests/fleet/misbehaviour.hpp"

namespace casemate::fleet {
namespace {

std::string evidence_path(const std::string& id) { return "/v1/platforms/" + id + "/evidence"; }

Task<std::string> word_of(Player& player, HttpCall call) {
    const Reply reply = co_await player.call(std::move(call));
    co_return reply.word();
}

/// An own evidence request with this body.
Task<std::string> with_body(Player& player, std::string body) {
    return word_of(player, {"POST", evidence_path(player.platform().id()), player.platform().token(), std::move(body)});
}

Task<std::string> others_token(Player& player, Player& other) {
    return word_of(player, {"POST", "/v1/platforms/" + other.platform().id() + "/challenges", player.platform().token(), "{}"});
}
Task<std::string> no_token(Player& player, Player&) {
    return word_of(player, {"POST", evidence_path(player.platform().id()), "", "{}"});
}
Task<std::string> stranger(Player& player, Player&) {
    return word_of(player, {"POST", evidence_path(std::string(64, 'a')), player.platform().token(), "{}"});
}
Task<std::string> sql_in_the_path(Player& player, Player&) {
    return word_of(player, {"POST", "/v1/platforms/x'%20OR%20'1'='1/challenges", player.platform().token(), "{}"});
}
Task<std::string> unknown_method(Player& player, Player&) {
    return word_of(player, {"DELETE", evidence_path(player.platform().id()), player.platform().token(), ""});
}
Task<std::string> bomb(Player& player, Player&) { return with_body(player, "{\"log\":" + std::string(500'000, '[')); }
Task<std::string> keys_twice(Player& player, Player&) { return with_body(player, R"({"log":"AAAA","log":"AAAA"})"); }
Task<std::string> no_json(Player& player, Player&) { return with_body(player, "<evidence/>"); }
Task<std::string> no_object(Player& player, Player&) { return with_body(player, "[]"); }
Task<std::string> compressed(Player& player, Player&) {
    return word_of(player, {"POST", evidence_path(player.platform().id()), player.platform().token(), "x", "gzip"});
}
Task<std::string> loose_base64(Player& player, Player&) {
    const Challenge challenge = co_await player.challenge();
    std::string body = player.platform().evidence_body(challenge);
    body.insert(body.find("\"log\":\"") + 7, "\\n");
    co_return co_await with_body(player, std::move(body));
}
Task<std::string> sql_in_a_member(Player& player, Player&) {
    return with_body(player, R"({"challenge_id":"'; DROP TABLE platforms; --","quote":"AAAA","signature":"AAAA"})");
}

std::string head_of(const std::string& id, std::size_t length) {
    return "POST " + evidence_path(id) + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(length) + "\r\n\r\n";
}

Task<std::string> oversized(Player& player, Player&) {
    Client client{player.stage().io, player.stage().target};
    co_await client.connect();
    co_await client.send_raw(head_of(player.platform().id(), 2 * 1024 * 1024));
    const HttpReply reply = co_await client.read_reply();
    co_return Reply{reply.status, Json::parse(reply.body)}.word();
}

Task<std::string> endless_header(Player& player, Player&) {
    Client client{player.stage().io, player.stage().target};
    co_await client.connect();
    co_await client.send_raw("POST / HTTP/1.1\r\nX: " + std::string(9'000, 'x'));
    const HttpReply reply = co_await client.read_reply();
    co_return Reply{reply.status, Json::parse(reply.body)}.word();
}

/// A byte at a time, for ever: each wait is short, the whole is not.
Task<std::string> slow(Player& player, Player&) {
    constexpr int patience = 300; // bytes
    Client client{player.stage().io, player.stage().target};
    boost::asio::steady_timer pause{player.stage().io};
    co_await client.connect();
    co_await client.send_raw(head_of(player.platform().id(), 20'000));
    try {
        for (int i = 0; i < patience; ++i) {
            pause.expires_after(std::chrono::milliseconds{100});
            co_await pause.async_wait(boost::asio::use_awaitable);
            co_await client.send_raw(" ");
        }
    } catch (const boost::system::system_error&) {
        co_return "closed";
    }
    co_return "still open";
}

constexpr Misbehaviour table[] = {
    {"token-of-another", "token_wrong", true, others_token},
    {"no-token", "token_missing", true, no_token},
    {"platform-that-nobody-knows", "token_wrong", true, stranger},
    {"sql-in-the-path", "path", true, sql_in_the_path},
    {"sql-in-a-member", "member", true, sql_in_a_member},
    {"method-that-is-none", "method", true, unknown_method},
    {"json-bomb", "json", true, bomb},
    {"keys-twice", "json", true, keys_twice},
    {"no-json", "json", true, no_json},
    {"no-object", "json", true, no_object},
    {"base64-with-a-line-break", "member", true, loose_base64},
    {"compressed-body", "content_encoding", true, compressed},
    {"oversized-body", "too_large", true, oversized},
    {"endless-header", "too_large", true, endless_header},
    {"slow-client", "closed", true, slow},
};

} // namespace

std::span<const Misbehaviour> request_misbehaviours() { return table; }

} // namespace casemate::fleet
