// SPDX-License-Identifier: Apache-2.0
// The operator's orders, as the relay hands them out with the answer to a status report [relay.md]: each is given to the
// hypervisor once, and its result goes into the next report. The agent judges nothing; the hypervisor does [control.md].
// UNTRUSTED: the orders.
// Who calls it: protocol.cpp, and the tests.
#pragma once

#include "attest/agent/hypervisor_client.hpp"
#include "attest/agent/transport.hpp"

namespace casemate::agent {

class OperatorOrders {
public:
    static constexpr std::size_t max_results = 16;

    /// True when there was one that was not known yet. Ids rise, so an order that is offered again is not carried out again.
    Outcome<bool> obey(const Json& answer, HypervisorClient& hypervisor);
    /// [{id, error}] of the latest.
    [[nodiscard]] const Json& results() const { return results_; }

private:
    std::uint64_t last_id_ = 0;
    Json results_ = Json::array();
};

} // namespace casemate::agent
