// SPDX-License-Identifier: Apache-2.0
// See operators.hpp.
#include "attest/verifier/operators.hpp"

#include <algorithm>

namespace casemate::verifier {
namespace {

constexpr std::size_t max_text = 512;
constexpr std::size_t fingerprint_size = 64;

Failure<ApiError> wrong(const std::string& at, const std::string& what) {
    return refuse(400, "operators", (at.empty() ? "/" : at) + ": " + what);
}

/// The member as text, or empty when it is not there.
Result<std::string, ApiError> text_if_there(const Json& item, const char* name, const std::string& at) {
    if (!item.contains(name)) return std::string{};
    const Json& value = item[name];
    const bool good = value.is_string() && !value.get_ref<const std::string&>().empty() &&
                      value.get_ref<const std::string&>().size() <= max_text;
    if (!good) return wrong(at + "/" + name, "must be a text of at most 512 characters");
    return value.get<std::string>();
}

} // namespace

Result<CertificateMap, ApiError> CertificateMap::parse(std::string_view document) {
    const Json object = TRY(parse_object(document));
    TRY(only_members(object, {"operators"}, "", "operators"));
    const auto list = object.find("operators");
    if (list == object.end() || !list->is_array()) return wrong("/operators", "must be a list");
    CertificateMap map;
    for (std::size_t i = 0; i < list->size(); ++i) TRY(map.add((*list)[i], "/operators/" + std::to_string(i)));
    return map;
}

Status<ApiError> CertificateMap::add(const Json& item, const std::string& at) {
    if (!item.is_object()) return wrong(at, "must be an object");
    TRY(only_members(item, {"name", "role", "fingerprint", "subject"}, at, "operators"));
    Entry entry;
    entry.principal.name = TRY(text_if_there(item, "name", at));
    if (!is_operator_name(entry.principal.name)) return wrong(at + "/name", "is not a name of an operator");
    const std::optional<Role> role = role_named(TRY(text_if_there(item, "role", at)));
    if (!role) return wrong(at + "/role", "must be viewer, operator or owner");
    entry.principal.role = *role;
    entry.fingerprint = TRY(text_if_there(item, "fingerprint", at));
    entry.subject = TRY(text_if_there(item, "subject", at));
    if (entry.fingerprint.empty() && entry.subject.empty()) return wrong(at, "needs a fingerprint or a subject");
    if (!entry.fingerprint.empty() && !is_hex_id(entry.fingerprint, fingerprint_size))
        return wrong(at + "/fingerprint", "must be 64 lower-case hex digits (SHA-256 of the certificate)");
    for (const Entry& other : entries_) {
        if (other.principal.name == entry.principal.name) return wrong(at + "/name", "occurs twice");
        if (other.fingerprint == entry.fingerprint && other.subject == entry.subject)
            return wrong(at, "the same certificate occurs twice");
    }
    entries_.push_back(std::move(entry));
    return Done{};
}

std::optional<Principal> CertificateMap::find(const ClientCertificate& certificate) const {
    const auto fits = [&](const Entry& entry) {
        return (entry.fingerprint.empty() || entry.fingerprint == certificate.fingerprint) &&
               (entry.subject.empty() || entry.subject == certificate.subject);
    };
    const auto found = std::find_if(entries_.begin(), entries_.end(), fits);
    if (found == entries_.end()) return std::nullopt;
    return found->principal;
}

} // namespace casemate::verifier
