// SPDX-License-Identifier: Apache-2.0
// Implements operator_orders.hpp.
#include "attest/agent/operator_orders.hpp"

#include "attest/agent/console.hpp"
#include "attest/agent/json_fields.hpp"

namespace casemate::agent {
namespace {

/// Numbers of control.md; 0 is none of them, and the hypervisor says so.
std::uint32_t order_number(const std::string& order) {
    return order == "stop" ? 1 : order == "start" ? 2 : order == "restart" ? 3 : 0;
}

} // namespace

Outcome<bool> OperatorOrders::obey(const Json& answer, HypervisorClient& hypervisor) {
    if (!answer.is_object() || !answer.contains("orders")) return false;
    bool any = false;
    for (const Json& order : answer["orders"]) {
        const std::uint64_t id = number_field_or(order, "id", 0);
        const std::string vm = TRY(text_field(order, "vm"));
        const std::string what = TRY(text_field(order, "order"));
        if (id <= last_id_) continue;
        last_id_ = id;
        any = true;
        const std::uint64_t error = TRY(hypervisor.order(order_number(what), vm));
        say("operator_order vm=" + in_quotes(vm) + " order=" + in_quotes(what) +
            " error=" + std::to_string(error));
        if (results_.size() == max_results) results_.erase(results_.begin());
        results_.push_back({{"id", id}, {"error", error}});
    }
    return any;
}

} // namespace casemate::agent
