// SPDX-License-Identifier: Apache-2.0
// See player.hpp.
#include "tests/fleet/player.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <simdjson.h>

namespace casemate::fleet {
namespace {

namespace dom = simdjson::dom;

/// Read in place: the load's generator is on the processors that it measures.
dom::element read(const HttpReply& reply) {
    thread_local dom::parser parser;
    return parser.parse(reply.body);
}

std::string text(const dom::element& object, const char* name) { return std::string{object[name].get_string().value()}; }

} // namespace

std::string Reply::word() const {
    if (body.contains("error")) return body["error"].value("code", "?");
    if (!body.contains("verdict")) return status == 200 ? "ok" : "status " + std::to_string(status);
    std::string text = body["verdict"];
    const char* separator = ": ";
    for (const Json& reason : body.at("reasons")) text += std::exchange(separator, " ") + reason.at("code").get<std::string>();
    return text;
}

Task<> Player::connect() {
    client_ = std::make_shared<Client>(stage_.io, stage_.target);
    co_await client_->connect();
}

Task<Reply> Player::call(HttpCall call) {
    HttpReply reply = co_await client_->call(std::move(call));
    co_return Reply{reply.status, Json::parse(reply.body)};
}

HttpCall Player::own_call(std::string method, const char* path, std::string body) const {
    return {std::move(method), "/v1/platforms/" + platform_.id() + path, platform_.token(), std::move(body)};
}

Task<Reply> Player::own(std::string method, std::string path, std::string body) {
    return call(own_call(std::move(method), path.c_str(), std::move(body)));
}

Task<Reply> Player::begin_enrolment(Json offer) { return call({"POST", "/v1/enrolments", "", offer.dump()}); }

Task<Reply> Player::enrol() {
    Reply begun = co_await begin_enrolment(platform_.offer());
    if (begun.status != 200) co_return begun;
    const std::optional<Json> secret = platform_.activation(begun.body);
    if (!secret) co_return Reply{0, {{"error", {{"code", "credential for another TPM"}}}}};
    const std::string path = "/v1/enrolments/" + begun.body.at("enrolment_id").get<std::string>() + "/activation";
    HttpCall activation{"POST", path, "", secret->dump()};
    Reply activated = co_await call(std::move(activation));
    if (activated.status != 200) co_return activated;
    platform_.enrolled(activated.body);
    ++stage_.tally.enrolled;
    co_return activated;
}

Task<Challenge> Player::challenge() {
    const Reply reply = co_await own("POST", "/challenges", "{}");
    if (reply.status != 200) throw std::runtime_error("no challenge: " + reply.word());
    co_return Challenge{reply.body.at("challenge_id"), *verifier::from_base64(reply.body.at("nonce").get<std::string>())};
}

Task<Reply> Player::submit(std::string body) {
    Reply reply = co_await own("POST", "/evidence", std::move(body));
    const std::string verdict = reply.body.value("verdict", "");
    if (verdict == "affirming") ++stage_.tally.affirming;
    if (verdict == "contraindicated") ++stage_.tally.contraindicated;
    co_return reply;
}

Task<Reply> Player::attest() {
    const Challenge challenge = co_await this->challenge();
    Reply reply = co_await submit(platform_.evidence_body(challenge));
    if (reply.body.value("verdict", "") != "affirming") co_return reply;
    const std::size_t grants = platform_.grants(), renewals = platform_.renewals();
    if (!platform_.take(reply.body, stage_.grant_key, stage_.restarts)) throw std::runtime_error("a grant that is not for this launch");
    stage_.tally.grants += platform_.grants() - grants;
    stage_.tally.renewals += platform_.renewals() - renewals;
    co_return reply;
}

Task<int> Player::renew() {
    const HttpReply asked = co_await client_->call(own_call("POST", "/challenges", "{}"));
    if (asked.status != 200) throw std::runtime_error("no challenge: " + asked.body);
    const dom::element offer = read(asked);
    const Challenge challenge{text(offer, "challenge_id"), *verifier::from_base64(text(offer, "nonce"))};
    const HttpReply answered = co_await client_->call(own_call("POST", "/evidence", platform_.evidence_body(challenge)));
    const dom::element answer = read(answered);
    if (answered.status != 200 || answer["verdict"].get_string().value() != "affirming") co_return -1;
    co_return static_cast<int>(answer["grants"].get_array().value().size());
}

} // namespace casemate::fleet
