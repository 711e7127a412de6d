// SPDX-License-Identifier: Apache-2.0
// The status report of relay.md as JSON. Who calls it: protocol.cpp. Pure.
#pragma once

#include "attest/agent/control_messages.hpp"
#include "attest/agent/transport.hpp"

namespace casemate::agent {

[[nodiscard]] Json to_json(const DeviceAddress& device);
[[nodiscard]] Json report_of(const Info& info, const MachineStatus& status);

} // namespace casemate::agent
