// SPDX-License-Identifier: Apache-2.0
// See platform_mail.hpp.
#include "attest/verifier/platform_mail.hpp"

#include <algorithm>
#include <map>

#include "attest/verifier/log.hpp"
#include "policy/model/policy.hpp"

namespace casemate::verifier {
namespace {

bool is_vm_name(std::string_view name) {
    if (name.empty() || name.size() > policy::max_vm_name) return false;
    return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

const Json& member_of(const Json& object, const char* name) {
    static const Json nothing;
    const auto member = object.is_object() ? object.find(name) : object.end();
    return member == object.end() ? nothing : *member;
}

/// What the report says of these orders; items of another shape are none.
std::vector<store::OrderResult> results_in(const Json& report, const std::vector<store::OperatorOrder>& untold) {
    if (untold.empty()) return {};
    std::map<std::int64_t, std::int64_t> told;
    for (const Json& item : member_of(member_of(report, "agent"), "operator_orders")) {
        if (!item.is_object()) continue;
        const auto id = whole_number(item, "id"), error = whole_number(item, "error");
        if (id && error && *error >= 0) told.emplace(*id, *error);
    }
    std::vector<store::OrderResult> results;
    for (const store::OperatorOrder& order : untold)
        if (const auto found = told.find(order.number); found != told.end()) results.push_back({order.number, found->second});
    return results;
}

const char* state_of(const store::OperatorOrder& order) {
    if (order.error) return "told";
    return order.waits() ? "waiting" : "withdrawn";
}

Json to_json(const store::OperatorOrder& order) {
    Json json{{"id", order.number}, {"vm", order.vm}, {"order", order.order}, {"given_at", order.given_at}, {"given_by", order.given_by},
              {"state", state_of(order)}, {"told_at", order.told_at}, {"withdrawn_at", order.withdrawn_at}};
    if (order.error) json["error"] = *order.error;
    return json;
}

Failure<ApiError> unknown_platform() { return refuse(404, "platform_unknown", "no such platform"); }

} // namespace

Answer PlatformMail::report(const store::Platform& caller, const Json& body, std::string_view raw_body) const {
    if (raw_body.size() > max_report)
        return refuse(413, "report_size", "a status report has at most " + std::to_string(max_report) + " bytes");
    const std::string& platform_id = caller.identity.platform_id;
    const std::vector<store::OperatorOrder> untold = context_.store.untold_orders(platform_id);
    const std::vector<store::OrderResult> results = results_in(body, untold);
    context_.store.put_report({platform_id, context_.now(), std::string{raw_body}}, results);
    Json offered = Json::array();
    for (const store::OperatorOrder& order : untold) {
        const bool told = std::any_of(results.begin(), results.end(), [&](const auto& result) { return result.number == order.number; });
        if (!told && order.waits()) offered.push_back({{"id", order.number}, {"vm", order.vm}, {"order", order.order}});
    }
    if (offered.empty() || caller.state != "active") return Json::object();
    return Json{{"orders", std::move(offered)}};
}

Answer PlatformMail::newest_report(const std::string& platform_id) const {
    const auto report = context_.store.status_report(platform_id);
    if (report) return Json{{"platform_id", platform_id}, {"at", report->at}, {"report", Json::parse(report->report)}};
    if (!context_.store.platform(platform_id)) return unknown_platform();
    return refuse(404, "status_unknown", "this platform has reported no status here: only an agent without a relay does");
}

Answer PlatformMail::order(const std::string& platform_id, const Json& body, const Principal& actor) const {
    TRY(only_members(body, {"vm", "order"}, "", "order"));
    const std::string vm = TRY(text_member(body, "vm", 64)), order = TRY(text_member(body, "order", 64));
    if (!is_vm_name(vm)) return refuse(400, "order", "/vm: must be 1 to 15 of a-z 0-9 -");
    if (order != "stop" && order != "start" && order != "restart") return refuse(400, "order", "/order: must be stop, start or restart");
    const auto unit = context_.store.begin();
    const auto platform = context_.store.hold_platform(platform_id); // one number at a time, and no quarantine meanwhile
    if (!platform) return unknown_platform();
    if (platform->state != "active") return refuse(409, "platform_state", "the platform is " + platform->state + ": it takes no orders");
    const auto number = context_.store.add_order({platform_id, 0, vm, order, context_.now(), actor.name}, max_waiting_orders);
    if (!number)
        return refuse(409, "orders_waiting", std::to_string(max_waiting_orders) +
                                                 " orders wait for this platform: withdraw them, or wait for its report");
    context_.audit(actor, "order", platform_id, "given", std::to_string(*number) + ": " + order + " " + vm);
    unit->commit();
    log(LogLevel::info, "order_given", {{"platform", platform_id}, {"order", order}, {"vm", vm}, {"number", *number}});
    return Json{{"id", *number}};
}

Answer PlatformMail::orders(const std::string& platform_id) const {
    if (!context_.store.platform(platform_id)) return unknown_platform();
    Json all = Json::array();
    for (const store::OperatorOrder& order : context_.store.orders_of(platform_id)) all.push_back(to_json(order));
    return Json{{"orders", all}};
}

Answer PlatformMail::withdraw_orders(const std::string& platform_id, const Principal& actor) const {
    const auto unit = context_.store.begin();
    if (!context_.store.hold_platform(platform_id)) return unknown_platform();
    const std::int64_t withdrawn = context_.store.withdraw_orders(platform_id, context_.now());
    context_.audit(actor, "order", platform_id, "withdrawn", std::to_string(withdrawn) + " orders");
    unit->commit();
    return Json{{"withdrawn_orders", withdrawn}};
}

} // namespace casemate::verifier
