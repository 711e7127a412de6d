// SPDX-License-Identifier: Apache-2.0
// See order_desk.hpp.
#include "dlaunch/session/order_desk.hpp"

#include "dlaunch/session/live_report.hpp"

#include <fstream>

namespace casemate::session {

using nlohmann::json;

std::optional<std::uint64_t> OrderDesk::place(const std::string& vm, const std::string& order, Time now) {
    if (waiting_.size() == max_waiting) return std::nullopt;
    waiting_.push_back({++last_id_, vm, order, now});
    if (write()) return last_id_;
    waiting_.pop_back();
    return std::nullopt;
}

void OrderDesk::take(const json& status, const Answered& answered) {
    std::size_t done = 0;
    for (const json& result : array_member(member(status, "agent"), "operator_orders")) {
        const json id = member(result, "id");
        const json error = member(result, "error");
        if (!id.is_number_unsigned() || !error.is_number_unsigned()) continue;
        const auto number = id.get<std::uint64_t>();
        if (waiting_.remove_if([number](const Order& order) { return order.id == number; }) == 0) continue;
        answered(number, error.get<std::uint64_t>());
        ++done;
    }
    if (done != 0) (void)write();
}

void OrderDesk::tick(Time now) {
    if (waiting_.remove_if([now](const Order& order) { return now - order.placed > patience; }) != 0)
        (void)write();
}

/// Replaced as a whole: the relay reads it at any moment.
bool OrderDesk::write() const {
    json orders = json::array();
    for (const Order& order : waiting_)
        orders.push_back({{"id", order.id}, {"vm", order.vm}, {"order", order.order}});
    const std::filesystem::path draft = file_.string() + ".new";
    std::ofstream out{draft};
    out << json{{"orders", orders}}.dump(-1, ' ', true, json::error_handler_t::replace) << "\n";
    out.close();
    std::error_code problem;
    if (out) std::filesystem::rename(draft, file_, problem);
    return out && !problem;
}

} // namespace casemate::session
