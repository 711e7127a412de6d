// SPDX-License-Identifier: Apache-2.0
// See gate_check.hpp. The gates and leases of the evidence are the agent's words: each must be found in the ledger.
#include "attest/appraise/gate_check.hpp"

namespace casemate::attest {

namespace {

using measure::GateRequest;

/// Cut off from all but its holder, by itself: remapped, alone in its group, and reset in a way that the policy accepts.
bool isolated(const GateRequest& request, const policy::Device& listed) {
    const measure::Isolation& facts = request.isolation;
    return facts.dma_remapping && facts.interrupt_remapping && facts.group == request.device.address.requester_id() &&
           listed.accepts_reset(static_cast<std::uint8_t>(facts.reset_kind));
}

bool is_device_of_policy(const measure::DeviceIdentity& identity, const policy::Device& listed) {
    return identity.vendor == listed.vendor && identity.device_id == listed.device_id;
}

std::optional<AppraisalError> refusal_of(ByteView gate, const GateRequest& request, const policy::Policy& policy,
                                         const Appraisal& appraisal, GateResult& result) {
    if (request.launch_id != appraisal.launch_id) return AppraisalError::gate_launch;
    const auto device = appraisal.custody.find_device(request.device.address);
    if (!device || !is_device_of_policy(request.device, policy.devices[*device])) return AppraisalError::gate_device;
    const auto vm = appraisal.custody.find_vm(request.vm_id);
    if (!vm || !policy.devices[*device].may_hold(*vm)) return AppraisalError::gate_holder;
    if (!equal(appraisal.custody.open_gate(*device, *vm), gate)) return AppraisalError::gate_not_open;
    if (!isolated(request, policy.devices[*device])) return AppraisalError::gate_isolation;
    if (request.tainted_by && *request.tainted_by != request.vm_id) return AppraisalError::gate_tainted;
    for (const GateResult& other : appraisal.gates) {
        if (!other.refusal && other.device == *device && other.vm == *vm) return AppraisalError::gate_repeated;
    }
    result.device = *device;
    result.vm = *vm;
    return std::nullopt;
}

} // namespace

void check_gates(const EvidenceBundle& evidence, const policy::Policy& policy, Appraisal& appraisal) {
    for (std::size_t i = 0; i < evidence.gates.size(); ++i) {
        GateResult result;
        result.index = i;
        const auto request = measure::parse_gate_request(evidence.gates[i]);
        result.refusal = request ? refusal_of(evidence.gates[i], *request, policy, appraisal, result)
                                 : AppraisalError::gate_malformed;
        if (request && !result.refusal) result.request = *request;
        if (!appraisal.gates.add(result)) return; // more than there can be: the rest gets nothing
    }
}

void check_leases(const EvidenceBundle& evidence, Appraisal& appraisal) {
    for (std::size_t i = 0; i < evidence.leases.size(); ++i) {
        const LeaseReport& lease = evidence.leases[i];
        LeaseResult result;
        result.index = i;
        result.refusal = AppraisalError::lease_not_held;
        const auto index = appraisal.custody.find_device(lease.device);
        const auto vm = appraisal.custody.find_vm(lease.vm_id);
        if (index && vm) {
            const DeviceCustody& device = appraisal.custody.device(*index);
            const bool held = device.granted() && device.holder == *vm &&
                              device.grant_id == lease.grant_id && device.gate_nonce == lease.gate_nonce;
            if (held) result.refusal.reset();
            result.device = *index;
            result.vm = *vm;
        }
        if (!appraisal.leases.add(result)) return;
    }
}

} // namespace casemate::attest
