// SPDX-License-Identifier: Apache-2.0
// The control device's operations as functions with values. Who calls it: protocol.cpp, report.cpp.
#pragma once

#include "attest/agent/control_device.hpp"
#include "attest/agent/control_messages.hpp"

namespace casemate::agent {

class HypervisorClient {
public:
    explicit HypervisorClient(Control& control) : control_{control} {}

    [[nodiscard]] std::uint32_t event_counter() const { return control_.event_counter(); }
    Outcome<Info> info();
    Outcome<Bytes> log(std::uint64_t size);
    /// What the firmware measured before the launch, as it logged it; empty when nobody kept it. The same during a whole launch.
    Outcome<Bytes> firmware_log();
    Outcome<std::vector<Bytes>> gates();
    Outcome<std::vector<Lease>> leases();
    Outcome<MachineStatus> status();
    /// A grant, renewal or revocation; the value is its GrantError, 0 = accepted.
    Outcome<std::uint64_t> submit(ByteView cose);
    /// An operator's order about a VM (control.md); the value is its OrderError, 0 = accepted.
    Outcome<std::uint64_t> order(std::uint32_t order, const std::string& vm);
    /// A sealed secret with one approval, for its VM (control.md); the value is its SecretError, 0 = handed over.
    Outcome<std::uint64_t> release(ByteView sealed, ByteView approval);
    /// A bootstrap grant with its seal, as the owner left it; the value is control.md's, 0 = accepted.
    Outcome<std::uint64_t> bootstrap(ByteView message);

private:
    Outcome<std::uint64_t> judged(ControlOperation operation, ByteView request);
    Outcome<Bytes> part(ControlOperation operation, std::size_t offset);
    Outcome<Bytes> ask(ControlOperation operation, ByteView request = {});
    Control& control_;
};

} // namespace casemate::agent
