// SPDX-License-Identifier: Apache-2.0
// See keys.hpp.
#include "attest/verifier/keys.hpp"

#include <algorithm>

#include "attest/cose/key_certificate.hpp"
#include "attest/verifier/encoding.hpp"
#include "attest/verifier/log.hpp"
#include "dlaunch/measure/hex.hpp"

namespace casemate::verifier {
namespace {

constexpr std::size_t max_certificates = 256; // of all keys: each verdict remembers what counted
constexpr std::size_t max_certificate = 4096;

const char* state_of(const store::SigningKey& key, Millis now) {
    if (key.revoked_at != 0) return "revoked";
    if (now < key.not_before) return "not_yet_valid";
    return now > key.not_after ? "expired" : "good";
}

} // namespace

Answer Keys::list() const {
    Json all = Json::array();
    for (const store::SigningKey& key : context_.store.signing_keys())
        all.push_back({{"key_id", key.key_id}, {"purpose", key.purpose}, {"name", key.name}, {"not_before", key.not_before},
                       {"not_after", key.not_after}, {"added_at", key.added_at}, {"added_by", key.added_by},
                       {"revoked_at", key.revoked_at}, {"state", state_of(key, context_.now())}});
    return Json{{"keys", all}};
}

Answer Keys::add(const Json& body, const Principal& actor) const {
    TRY(only_members(body, {"purpose", "certificate"}, "", "key"));
    const std::string purpose = TRY(text_member(body, "purpose", 8));
    if (purpose != "owner" && purpose != "grant") return refuse(400, "key", "/purpose: must be owner or grant");
    const Bytes der = TRY(bytes_member(body, "certificate", max_certificate));
    const auto certificate = cose::parse_key_certificate(der);
    if (!certificate) return refuse(400, "key", std::string{"/certificate: "} + cose::describe(certificate.error()));
    const store::SigningKey key{to_hex(sha256(der)),          measure::to_hex(cose::key_id(certificate.value().key)),
                                purpose,                      certificate.value().name,
                                certificate.value().not_before, certificate.value().not_after,
                                context_.now(),               actor.name};
    const auto unit = context_.store.begin();
    const std::vector<store::SigningKey> known = context_.store.signing_keys();
    const auto same_key = [&](const store::SigningKey& each) { return each.key_id == key.key_id; };
    if (std::any_of(known.begin(), known.end(), [&](const auto& each) { return same_key(each) && each.revoked_at != 0; }))
        return refuse(409, "key_revoked", "this key is revoked, for good");
    if (std::any_of(known.begin(), known.end(), [&](const auto& each) { return same_key(each) && each.purpose != purpose; }))
        return refuse(409, "key_purpose", "this key is known for the other purpose");
    if (known.size() >= max_certificates) return refuse(409, "key_limit", "there are 256 certificates already");
    if (!context_.store.add_signing_key(key)) return refuse(409, "key_known", "this certificate was imported before");
    context_.audit(actor, "add_key", key.key_id, "done", purpose + " " + key.name + ", until " + cose::date_text(key.not_after));
    unit->commit();
    return Json{{"key_id", key.key_id}};
}

Answer Keys::revoke(const std::string& key_id, const Principal& actor) const {
    const auto unit = context_.store.begin();
    if (!context_.store.revoke_signing_key(key_id, context_.now()))
        return refuse(404, "key_unknown", "no such key, or it is revoked already");
    context_.audit(actor, "revoke_key", key_id, "done");
    unit->commit();
    log(LogLevel::warning, "key_revoked", {{"key", key_id}, {"by", actor.name}});
    return Json::object();
}

} // namespace casemate::verifier
