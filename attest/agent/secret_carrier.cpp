// SPDX-License-Identifier: Apache-2.0
// Implements secret_carrier.hpp.
#include "attest/agent/secret_carrier.hpp"

#include "attest/agent/console.hpp"
#include "attest/agent/json_fields.hpp"

#include <algorithm>

namespace casemate::agent {
namespace {

constexpr std::uint64_t vm_running = 1;                                       // control.md, status
constexpr std::uint64_t error_not_holding = 4, error_unread = 5, error_tpm = 16; // control.md, SecretError
constexpr std::size_t max_deliveries = 256;

bool not_yet(std::uint64_t error) { return error == error_not_holding || error == error_unread; }

} // namespace

/// Of several approvals (old and new during an update) the TPM takes the one for the present state.
Outcome<std::uint64_t> SecretCarrier::offer(const Json& secret, HypervisorClient& hypervisor) {
    const Bytes sealed = TRY(base64_field(secret, "sealed"));
    std::uint64_t error = error_tpm;
    for (const Bytes& approval : TRY(base64_list_field(secret, "approvals"))) {
        error = TRY(hypervisor.release(sealed, approval));
        if (error < error_tpm) return error;
    }
    return error;
}

Outcome<bool> SecretCarrier::deliver(const Json& answer, HypervisorClient& hypervisor) {
    if (!answer.is_object() || !answer.contains("secrets")) return false;
    const MachineStatus status = TRY(hypervisor.status());
    bool waiting = false;
    for (const Json& secret : answer["secrets"]) {
        const std::string vm = TRY(text_field(secret, "vm")), name = TRY(text_field(secret, "name"));
        const auto running = std::find_if(status.vms.begin(), status.vms.end(), [&](const VmStatus& each) {
            return each.name == vm && each.state == vm_running;
        });
        if (running == status.vms.end() || deliveries_.size() == max_deliveries) continue;
        Delivery& delivery = deliveries_[{vm, name}];
        if (delivery.start == running->starts) continue;
        delivery.error = TRY(offer(secret, hypervisor));
        if (not_yet(delivery.error)) waiting = true;
        else delivery.start = running->starts;
        say("secret vm=" + in_quotes(vm) + " name=" + in_quotes(name) + " error=" + std::to_string(delivery.error));
    }
    return waiting;
}

Json SecretCarrier::results() const {
    Json all = Json::array();
    for (const auto& [key, delivery] : deliveries_)
        all.push_back({{"vm", key.first}, {"name", key.second}, {"error", delivery.error}});
    return all;
}

} // namespace casemate::agent
