// SPDX-License-Identifier: Apache-2.0
// See platform_secrets.hpp.
#include "attest/verifier/platform_secrets.hpp"

#include <algorithm>
#include <set>

#include "attest/verifier/encoding.hpp"
#include "attest/verifier/log.hpp"
#include "policy/model/policy.hpp"

namespace casemate::verifier {
namespace {

constexpr std::size_t max_document = 192 * 1024; // as of the relay's answer: the agent takes 256 KiB with what is around it
constexpr std::size_t max_secrets = policy::max_vms * policy::max_secrets;
constexpr std::size_t max_message = 1536, max_name = 31; // docs/interfaces/secret.md
constexpr std::size_t max_approvals = 4; // of one VM: the agent tries one after the other, 18 TPM commands each

Failure<ApiError> wrong(const std::string& at, const std::string& what) { return refuse(400, "secrets", at + ": " + what); }

Result<std::string, ApiError> name_member(const Json& item, const char* member, const std::string& at) {
    const Json value = item.value(member, Json{});
    const std::string text = value.is_string() ? value.get<std::string>() : "";
    const bool good = !text.empty() && text.size() <= max_name && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string::npos;
    if (!good) return wrong(at + "/" + member, "must be 1 to 31 of a-z 0-9 - _ .");
    return text;
}

bool is_message(const Json& text) {
    if (!text.is_string() || text.get_ref<const std::string&>().size() > 2 * max_message) return false;
    const auto bytes = from_base64(text.get_ref<const std::string&>());
    return bytes && !bytes->empty() && bytes->size() <= max_message;
}

/// The shape alone; its name for the trail.
Result<std::string, ApiError> check(const Json& item, const std::string& at) {
    if (!item.is_object()) return wrong(at, "must be an object");
    TRY(only_members(item, {"vm", "name", "sealed", "approvals"}, at, "secrets"));
    const std::string vm = TRY(name_member(item, "vm", at)), name = TRY(name_member(item, "name", at));
    if (!is_message(item.value("sealed", Json{}))) return wrong(at + "/sealed", "must be base64 of 1 to 1536 bytes");
    const auto approvals = item.find("approvals");
    const bool good = approvals != item.end() && approvals->is_array() && approvals->size() <= max_approvals &&
                      std::all_of(approvals->begin(), approvals->end(), is_message);
    if (!good) return wrong(at + "/approvals", "must be a list of at most 4, each base64 of 1 to 1536 bytes");
    return vm + "/" + name;
}

Result<std::set<std::string>, ApiError> checked(const Json& body) {
    TRY(only_members(body, {"secrets"}, "", "secrets"));
    const auto list = body.find("secrets");
    if (list == body.end() || !list->is_array() || list->size() > max_secrets)
        return wrong("/secrets", "must be a list of at most " + std::to_string(max_secrets));
    std::set<std::string> names;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const std::string at = "/secrets/" + std::to_string(i);
        if (!names.insert(TRY(check((*list)[i], at))).second) return wrong(at, "is there twice");
    }
    return names;
}

} // namespace

Answer PlatformSecrets::replace(const std::string& platform_id, const Json& body, const Principal& actor) const {
    const std::set<std::string> names = TRY(checked(body));
    std::string document = body.dump();
    if (document.size() > max_document)
        return refuse(413, "secrets_size", "the secrets of a platform have at most " + std::to_string(max_document) + " bytes");
    const auto unit = context_.store.begin();
    if (!context_.store.hold_platform(platform_id)) return refuse(404, "platform_unknown", "no such platform");
    context_.store.put_secrets({platform_id, std::move(document), context_.now(), actor.name});
    if (names.empty()) context_.audit(actor, "secrets", platform_id, "withdrawn");
    std::size_t number = 0;
    for (const std::string& name : names)
        context_.audit(actor, "secrets", platform_id, "stored", std::to_string(++number) + " of " + std::to_string(names.size()) + ": " + name);
    unit->commit();
    log(LogLevel::info, "secrets_stored", {{"platform", platform_id}, {"by", actor.name}, {"secrets", names.size()}});
    return Json{{"stored", names.size()}};
}

/// Not an error for a platform out of service, as its evidence is none: its agent goes on to fetch what takes its devices back.
Answer PlatformSecrets::hand_out(const store::Platform& caller) const {
    const auto kept = caller.state == "active" ? context_.store.secrets_of(caller.identity.platform_id) : std::nullopt;
    if (!kept) return Json{{"secrets", Json::array()}};
    return Json::parse(kept->document);
}

} // namespace casemate::verifier
