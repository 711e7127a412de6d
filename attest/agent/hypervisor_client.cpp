// SPDX-License-Identifier: Apache-2.0
// Implements hypervisor_client.hpp.
#include "attest/agent/hypervisor_client.hpp"

#include <array>

namespace casemate::agent {
namespace {

constexpr std::uint64_t max_log = 4 << 20;
constexpr std::size_t max_firmware_log = 512 * 1024; // what the verifier takes

Failure<Error> refused(ControlStatus status) {
    return fail("the hypervisor refused a request with status " + std::to_string(static_cast<std::uint32_t>(status)));
}

} // namespace

Outcome<Bytes> HypervisorClient::ask(ControlOperation operation, ByteView request) {
    auto response = TRY(control_.request(operation, request));
    if (response.status != ControlStatus::ok) return refused(response.status);
    return std::move(response.bytes);
}

Outcome<Info> HypervisorClient::info() { return parse_info(TRY(ask(ControlOperation::info))); }
Outcome<std::vector<Bytes>> HypervisorClient::gates() { return parse_gates(TRY(ask(ControlOperation::gates))); }
Outcome<std::vector<Lease>> HypervisorClient::leases() { return parse_leases(TRY(ask(ControlOperation::leases))); }
Outcome<MachineStatus> HypervisorClient::status() { return parse_status(TRY(ask(ControlOperation::status))); }

Outcome<Bytes> HypervisorClient::part(ControlOperation operation, std::size_t offset) {
    std::array<std::uint8_t, 4> request{};
    LittleEndianWriter{request}.u32(static_cast<std::uint32_t>(offset));
    return ask(operation, request);
}

Outcome<Bytes> HypervisorClient::firmware_log() {
    Bytes log;
    while (true) {
        const Bytes next = TRY(part(ControlOperation::read_firmware_log, log.size()));
        if (next.empty()) return log;
        log.insert(log.end(), next.begin(), next.end());
        if (log.size() > max_firmware_log) return fail("the firmware's log is too long");
    }
}

Outcome<Bytes> HypervisorClient::log(std::uint64_t size) {
    if (size > max_log) return fail("the event log is too long");
    Bytes log;
    while (log.size() < size) {
        const Bytes part = TRY(this->part(ControlOperation::read_log, log.size()));
        if (part.empty()) return fail("the event log is shorter than the hypervisor said");
        log.insert(log.end(), part.begin(), part.end());
    }
    log.resize(size); // what grew meanwhile belongs to the next quote
    return log;
}

Outcome<std::uint64_t> HypervisorClient::judged(ControlOperation operation, ByteView request) {
    const auto response = TRY(control_.request(operation, request));
    if (response.status != ControlStatus::ok && response.status != ControlStatus::refused)
        return refused(response.status);
    return parse_submission(response.bytes);
}

Outcome<std::uint64_t> HypervisorClient::submit(ByteView cose) { return judged(ControlOperation::submit, cose); }

Outcome<std::uint64_t> HypervisorClient::bootstrap(ByteView message) { return judged(ControlOperation::bootstrap, message); }

Outcome<std::uint64_t> HypervisorClient::release(ByteView sealed, ByteView approval) {
    Bytes request(4);
    LittleEndianWriter{request}.u32(static_cast<std::uint32_t>(sealed.size()));
    request.insert(request.end(), sealed.begin(), sealed.end());
    request.insert(request.end(), approval.begin(), approval.end());
    return judged(ControlOperation::secret, request);
}

Outcome<std::uint64_t> HypervisorClient::order(std::uint32_t order, const std::string& vm) {
    Bytes request(4);
    LittleEndianWriter{request}.u32(order);
    request.insert(request.end(), vm.begin(), vm.end());
    return judged(ControlOperation::order, request);
}

} // namespace casemate::agent
