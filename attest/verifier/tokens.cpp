// SPDX-License-Identifier: Apache-2.0
// See tokens.hpp.
#include "attest/verifier/tokens.hpp"

#include "attest/verifier/encoding.hpp"

namespace casemate::verifier {
namespace {

constexpr std::uint64_t min_lifetime = 60;
constexpr std::uint64_t max_lifetime = 366ULL * 24 * 3600;
constexpr std::size_t token_size = 32;

} // namespace

Answer Tokens::list() const {
    Json all = Json::array();
    for (const store::OperatorToken& token : context_.store.operator_tokens())
        all.push_back({{"token_id", token.id}, {"name", token.name}, {"role", token.role}, {"created_at", token.created_at},
                       {"expires_at", token.expires_at}, {"created_by", token.created_by}});
    return Json{{"tokens", all}};
}

Answer Tokens::create(const Json& body, const Principal& actor) const {
    TRY(only_members(body, {"name", "role", "lifetime_seconds"}, "", "token"));
    const std::string name = TRY(text_member(body, "name", 256));
    if (!is_operator_name(name)) return refuse(400, "token", "/name: is not a name of an operator");
    const std::optional<Role> role = role_named(TRY(text_member(body, "role", 16)));
    if (!role) return refuse(400, "token", "/role: must be viewer, operator or owner");
    const Json lifetime = body.value("lifetime_seconds", Json{});
    const bool good = lifetime.is_number_unsigned() && lifetime.get<std::uint64_t>() >= min_lifetime &&
                      lifetime.get<std::uint64_t>() <= max_lifetime;
    if (!good) return refuse(400, "token", "/lifetime_seconds: must be a minute to a year");
    const std::string text = to_hex(random_bytes(token_size));
    const Millis now = context_.now();
    const store::OperatorToken token{to_hex(random_bytes(16)), name, name_of(*role), to_bytes(sha256(as_bytes(text))), now,
                                     now + lifetime.get<Millis>() * 1000, actor.name};
    const auto unit = context_.store.begin();
    context_.store.add_operator_token(token);
    context_.audit(actor, "create_token", token.id, "done", name + ", " + token.role);
    unit->commit();
    return Json{{"token_id", token.id}, {"token", text}, {"expires_at", token.expires_at}};
}

Answer Tokens::remove(const std::string& id, const Principal& actor) const {
    const auto unit = context_.store.begin();
    if (!context_.store.remove_operator_token(id)) return refuse(404, "token_unknown", "no such token");
    context_.audit(actor, "remove_token", id, "done");
    unit->commit();
    return Json::object();
}

} // namespace casemate::verifier
