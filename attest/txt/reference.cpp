// SPDX-License-Identifier: Apache-2.0
// See reference.hpp: the document.
#include "attest/txt/reference.hpp"

#include "attest/txt/event_type.hpp"
#include "attest/verifier/encoding.hpp"

#include <algorithm>

namespace casemate::txt {

namespace {

using measure::Digest;
using measure::TPM_ALG_ID;
using verifier::ApiError;
using verifier::Json;

constexpr std::size_t max_events = 256; // of one PCR
constexpr std::size_t max_accepted = 64;

Failure<ApiError> wrong(const std::string& where, const char* what) { return verifier::refuse(400, "reference_invalid", where + ": " + what); }

Result<std::vector<Digest>, ApiError> read_digests(const Json& list, TPM_ALG_ID bank, const std::string& where) {
    if (!list.is_array() || list.empty() || list.size() > max_accepted) return wrong(where, "must be a list of 1 to 64 digests");
    std::vector<Digest> digests;
    for (const Json& each : list) {
        const auto bytes = each.is_string() ? verifier::from_hex(each.get_ref<const std::string&>()) : std::nullopt;
        if (!bytes || bytes->size() != measure::digest_size(bank)) return wrong(where, "a digest of this bank is lower-case hexadecimal of its size");
        Digest digest{bank, {}};
        std::copy(bytes->begin(), bytes->end(), digest.storage.begin());
        digests.push_back(digest);
    }
    return digests;
}

std::optional<std::uint32_t> read_pcr(const std::string& name) {
    for (std::uint32_t pcr = first_launch_pcr; pcr <= last_launch_pcr; ++pcr)
        if (name == std::to_string(pcr)) return pcr;
    return std::nullopt;
}

Result<std::vector<ReferenceEvent>, ApiError> read_events(const Json& list, TPM_ALG_ID bank, const std::string& where) {
    if (!list.is_array() || list.empty() || list.size() > max_events) return wrong(where, "must be a list of 1 to 256 events");
    std::vector<ReferenceEvent> events;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Json& each = list[i];
        const std::string at = where + "/" + std::to_string(i);
        if (!each.is_object() || !each.contains("type") || !each["type"].is_string() || !each.contains("digests"))
            return wrong(at, "an event has a type and digests");
        if (auto known = verifier::only_members(each, {"type", "digests", "words"}, at, "reference_invalid"); !known) return Failure{known.error()};
        const EventType* type = event_type(std::string_view{each["type"].get_ref<const std::string&>()});
        if (type == nullptr) return wrong(at + "/type", "no known event of a launch");
        auto digests = read_digests(each["digests"], bank, at + "/digests");
        if (!digests) return Failure{digests.error()};
        events.push_back({type->type, std::move(digests).value()});
    }
    return events;
}

/// Calls `read` for each member of `bank`/`name`, which are PCR numbers.
template <typename Read>
Status<ApiError> each_pcr(const Json& bank, const char* name, const std::string& where, const Read& read) {
    if (!bank.contains(name)) return Done{};
    if (!bank[name].is_object()) return wrong(where + "/" + name, "must be an object");
    for (const auto& [key, value] : bank[name].items()) {
        const std::string at = where + "/" + name + "/" + key;
        const auto pcr = read_pcr(key);
        if (!pcr) return wrong(at, "a launch extends PCR 17 to 22");
        if (auto done = read(*pcr, value, at); !done) return done;
    }
    return Done{};
}

Result<ReferenceBank, ApiError> read_bank(const Json& document, TPM_ALG_ID bank, const std::string& where) {
    if (!document.is_object()) return wrong(where, "must be an object");
    if (auto known = verifier::only_members(document, {"values", "events"}, where, "reference_invalid"); !known) return Failure{known.error()};
    ReferenceBank result;
    auto values = each_pcr(document, "values", where, [&](std::uint32_t pcr, const Json& value, const std::string& at) -> Status<ApiError> {
        result.values[pcr] = TRY(read_digests(value, bank, at));
        return Done{};
    });
    if (!values) return Failure{values.error()};
    auto events = each_pcr(document, "events", where, [&](std::uint32_t pcr, const Json& value, const std::string& at) -> Status<ApiError> {
        result.events[pcr] = TRY(read_events(value, bank, at));
        return Done{};
    });
    if (!events) return Failure{events.error()};
    for (const std::uint32_t pcr : {17U, 18U})
        if (!result.values.contains(pcr) && !result.events.contains(pcr)) return wrong(where, "PCR 17 and 18 must both have a value or events");
    return result;
}

std::optional<TPM_ALG_ID> bank_named(const std::string& name) {
    for (const TPM_ALG_ID bank : {TPM_ALG_ID::SHA256, TPM_ALG_ID::SHA384, TPM_ALG_ID::SHA512}) // never SHA-1
        if (name == measure::name_of(bank)) return bank;
    return std::nullopt;
}

Json json_of(const std::vector<Digest>& digests) {
    Json list = Json::array();
    for (const Digest& each : digests) list.push_back(verifier::to_hex(each.view()));
    return list;
}

} // namespace

Result<Reference, ApiError> Reference::parse(const Json& document) {
    if (auto known = verifier::only_members(document, {"version", "kind", "map", "banks", "notes"}, "", "reference_invalid"); !known)
        return Failure{known.error()};
    if (verifier::whole_number(document, "version") != 1 || !document.contains("kind") || document["kind"] != "txt")
        return wrong("/kind", "this is no reference of a TXT launch (version 1, kind txt)");
    Reference reference;
    if (!document.contains("map") || (document["map"] != name_of(PcrMap::details_authorities) && document["map"] != name_of(PcrMap::legacy)))
        return wrong("/map", "must be details/authorities or legacy");
    if (document["map"] == name_of(PcrMap::legacy)) reference.map = PcrMap::legacy;
    if (!document.contains("banks") || !document["banks"].is_object() || document["banks"].empty()) return wrong("/banks", "must have a bank");
    for (const auto& [name, value] : document["banks"].items()) {
        const auto bank = bank_named(name);
        if (!bank) return wrong("/banks/" + name, "a bank is sha256, sha384 or sha512");
        auto read = read_bank(value, *bank, "/banks/" + name);
        if (!read) return Failure{read.error()};
        reference.banks[*bank] = std::move(read).value();
    }
    return reference;
}

Json Reference::json() const {
    Json banks_json = Json::object();
    for (const auto& [bank, content] : banks) {
        Json& out = banks_json[measure::name_of(bank)];
        for (const auto& [pcr, accepted] : content.values) out["values"][std::to_string(pcr)] = json_of(accepted);
        for (const auto& [pcr, list] : content.events)
            for (const ReferenceEvent& each : list)
                out["events"][std::to_string(pcr)].push_back({{"type", event_type(each.type)->name}, {"digests", json_of(each.accepted)}});
    }
    return {{"version", 1}, {"kind", "txt"}, {"map", name_of(map)}, {"banks", std::move(banks_json)}};
}

} // namespace casemate::txt
