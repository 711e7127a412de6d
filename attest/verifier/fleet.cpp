// SPDX-License-Identifier: Apache-2.0
// See fleet.hpp.
#include "attest/verifier/fleet.hpp"

#include <set>

#include "attest/verifier/log.hpp"

namespace casemate::verifier {
namespace {

constexpr std::size_t max_entries = 5000; // what fits the HTTP body
constexpr std::size_t max_label = 64;
constexpr std::size_t id_size = 64;
constexpr int list_limit = 5000;
constexpr std::int64_t max_epoch = 1'000'000'000;

/// Printable ASCII: labels are shown on terminals and pages.
bool is_label(const std::string& text) {
    for (const char c : text)
        if (c < ' ' || c > '~') return false;
    return text.size() <= max_label;
}

Failure<ApiError> wrong(const std::string& at, const std::string& what) {
    return refuse(400, "inventory", at + ": " + what);
}

} // namespace

Answer Fleet::quarantine(const std::string& platform_id, const Principal& actor) const {
    return take_out(platform_id, "quarantined", actor);
}

Answer Fleet::retire(const std::string& platform_id, const Principal& actor) const {
    return take_out(platform_id, "retired", actor);
}

Answer Fleet::take_out(const std::string& platform_id, const char* state, const Principal& actor) const {
    const auto unit = context_.store.begin();
    const auto platform = context_.store.hold_platform(platform_id); // no grant on the way while this is decided
    if (!platform) return refuse(404, "platform_unknown", "no such platform");
    // Retirement is for good: a quarantine must not weaken it to something that an operator can set.
    if (platform->state == "retired" || !context_.store.set_platform_state(platform_id, state))
        return refuse(409, "platform_state", "the platform is " + platform->state + " already");
    const std::size_t revoked = grants_.revoke_live(platform_id, actor);
    (void)context_.store.withdraw_orders(platform_id, context_.now()); // nobody expects them when it is reinstated
    context_.audit(actor, state, platform_id, "done", std::to_string(revoked) + " grants revoked");
    unit->commit();
    for (std::size_t i = 0; i < revoked; ++i) context_.metrics->grant("revoked");
    log(LogLevel::warning, state, {{"platform", platform_id}, {"by", actor.name}, {"revoked", revoked}});
    return Json{{"state", state}, {"revoked_grants", revoked}};
}

Answer Fleet::reinstate(const std::string& platform_id, const Principal& actor) const {
    const auto unit = context_.store.begin();
    if (!context_.store.hold_platform(platform_id)) return refuse(404, "platform_unknown", "no such platform");
    if (!context_.store.set_platform_state(platform_id, "active"))
        return refuse(409, "platform_state", "the platform is active already");
    context_.audit(actor, "reinstate", platform_id, "done");
    unit->commit();
    return Json{{"state", "active"}};
}

Answer Fleet::approve(const std::string& platform_id, const Principal& actor) const {
    const auto unit = context_.store.begin();
    const auto listed = context_.store.inventory_entry(platform_id);
    context_.store.add_inventory({{platform_id, listed ? listed->label : "", true, context_.now(), actor.name}});
    context_.audit(actor, "approve", platform_id, "done", "may enrol without an EK certificate");
    unit->commit();
    return Json::object();
}

Result<store::InventoryEntry, ApiError> Fleet::entry(const Json& item, const std::string& at,
                                                     const Principal& actor) const {
    if (!item.is_object()) return wrong(at, "must be an object");
    TRY(only_members(item, {"platform_id", "label", "without_certificate"}, at, "inventory"));
    store::InventoryEntry entry{{}, {}, false, context_.now(), actor.name};
    if (item.contains("platform_id") && item["platform_id"].is_string()) entry.platform_id = item["platform_id"];
    if (!is_hex_id(entry.platform_id, id_size))
        return wrong(at + "/platform_id", "must be 64 lower-case hex digits (SHA-256 of the EK's TPMT_PUBLIC)");
    const Json label = item.value("label", Json(""));
    if (!label.is_string() || !is_label(label)) return wrong(at + "/label", "must be at most 64 printable characters");
    entry.label = label;
    const Json without = item.value("without_certificate", Json(false));
    if (!without.is_boolean()) return wrong(at + "/without_certificate", "must be true or false");
    entry.without_certificate = without;
    return entry;
}

Answer Fleet::import(const Json& body, const Principal& actor) const {
    TRY(only_members(body, {"entries"}, "", "inventory"));
    const auto list = body.find("entries");
    if (list == body.end() || !list->is_array() || list->empty() || list->size() > max_entries)
        return wrong("/entries", "must be a list of 1 to " + std::to_string(max_entries));
    std::vector<store::InventoryEntry> entries;
    std::set<std::string> ids;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const std::string at = "/entries/" + std::to_string(i);
        entries.push_back(TRY(entry((*list)[i], at, actor)));
        if (!ids.insert(entries.back().platform_id).second) return wrong(at + "/platform_id", "occurs twice");
    }
    const auto unit = context_.store.begin();
    context_.store.add_inventory(entries);
    for (const store::InventoryEntry& each : entries)
        context_.audit(actor, "list", each.platform_id, "done", each.without_certificate ? "without a certificate" : "");
    unit->commit();
    return Json{{"imported", entries.size()}};
}

Json Fleet::to_json(const store::InventoryEntry& entry) const {
    return {{"platform_id", entry.platform_id}, {"label", entry.label}, {"without_certificate", entry.without_certificate},
            {"added_at", entry.added_at}, {"added_by", entry.added_by}, {"enrolled", context_.store.platform(entry.platform_id).has_value()}};
}

Answer Fleet::inventory() const {
    Json all = Json::array();
    for (const store::InventoryEntry& entry : context_.store.inventory(list_limit)) all.push_back(to_json(entry));
    return Json{{"inventory", all}};
}

Answer Fleet::expected(const std::string& platform_id) const {
    const auto entry = context_.store.inventory_entry(platform_id);
    if (!entry) return refuse(404, "inventory_unknown", "no such entry");
    return to_json(*entry);
}

Answer Fleet::remove(const std::string& platform_id, const Principal& actor) const {
    const auto unit = context_.store.begin();
    if (!context_.store.remove_inventory(platform_id)) return refuse(404, "inventory_unknown", "no such entry");
    context_.audit(actor, "unlist", platform_id, "done");
    unit->commit();
    return Json::object();
}

Answer Fleet::rules() const { return Json{{"minimum_policy_epoch", context_.store.rule(minimum_epoch_rule)}}; }

Answer Fleet::set_rules(const Json& body, const Principal& actor) const {
    TRY(only_members(body, {"minimum_policy_epoch"}, "", "rules"));
    const auto epoch = body.find("minimum_policy_epoch");
    const bool good = epoch != body.end() && epoch->is_number_unsigned() &&
                      epoch->get<std::uint64_t>() <= static_cast<std::uint64_t>(max_epoch);
    if (!good) return refuse(400, "rules", "/minimum_policy_epoch: must be a number up to 1000000000");
    const auto unit = context_.store.begin();
    context_.store.set_rule(minimum_epoch_rule, epoch->get<std::int64_t>());
    context_.audit(actor, "set_rules", minimum_epoch_rule, "done", epoch->dump());
    unit->commit();
    return rules();
}

} // namespace casemate::verifier
