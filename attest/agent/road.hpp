// SPDX-License-Identifier: Apache-2.0
// The agent's road to the verifier. Each program of the agent is linked with one of two: road_line.cpp (the management UART and a relay behind
// it) or road_network.cpp (a network interface, and TLS in the agent itself: docs/adr/0029).
#pragma once

#include "attest/agent/transport.hpp"

#include <memory>

namespace casemate::agent {

struct RoadOptions {
    std::string line{};       // road_line: a terminal device or a UNIX socket
    std::string verifier{};   // road_network: https://host:port
    std::string authority{};  // road_network: PEM file, pinned
    std::chrono::milliseconds patience{};
};

/// What this program takes, for its usage message; and its defaults, those of the agent VM.
[[nodiscard]] RoadOptions usual_road();
[[nodiscard]] Outcome<std::unique_ptr<Transport>> open_road(const RoadOptions& options);

} // namespace casemate::agent
