// SPDX-License-Identifier: Apache-2.0
// Carries sealed secrets, as the relay hands them out, to the hypervisor whenever their VM has started anew [relay.md, control.md].
// It can open none of them. UNTRUSTED: what the relay says.
// Who calls it: protocol.cpp, and the tests.
#pragma once

#include "attest/agent/hypervisor_client.hpp"
#include "attest/agent/transport.hpp"

#include <map>

namespace casemate::agent {

class SecretCarrier {
public:
    /// Offers what each running VM has not had in this life of it. True while the hypervisor says "not yet" to one.
    Outcome<bool> deliver(const Json& answer, HypervisorClient& hypervisor);
    /// [{vm, name, error}]: what became of each one last.
    [[nodiscard]] Json results() const;

private:
    struct Delivery {
        std::uint64_t start = 0; // the VM's, in which this was settled
        std::uint64_t error = 0;
    };
    Outcome<std::uint64_t> offer(const Json& secret, HypervisorClient& hypervisor);

    std::map<std::pair<std::string, std::string>, Delivery> deliveries_{}; // by VM and name
};

} // namespace casemate::agent
