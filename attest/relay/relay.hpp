// SPDX-License-Identifier: Apache-2.0
// The relay: carries the agent's frames from the management UART (a unix socket of QEMU, or any stream) to the verifier
// and back. It holds no secret and judges nothing. Bounded: one request at a time, one frame buffer, every wait.
// `casemate-relay` is this as a process; the session program runs it in a thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "attest/relay/verifier_client.hpp"

namespace casemate::relay {

using Verifier = std::function<VerifierAnswer(const VerifierCall&)>;
/// Stands between the line and the verifier: may pass a call on, change it, or answer it. Tests put an attacker there.
using Carrier = std::function<VerifierAnswer(const VerifierCall&, const Verifier&)>;

struct RelayOptions {
    std::filesystem::path socket;                   // unix stream socket; waited for
    std::string verifier;                           // https://host:port
    std::filesystem::path authority;                // PEM, pinned
    std::function<void(const std::string&)> report; // gets each status report of the agent, JSON; may be empty
    std::function<std::string()> orders{};          // asked at each status report for the operator's orders; may be empty
    std::function<std::string()> secrets{};         // asked for the sealed secrets of this platform; may be empty
    Carrier carrier{};                              // empty: every call goes through as it is
    std::chrono::milliseconds connect_time{30'000};
    std::chrono::milliseconds call_time{60'000};
    std::chrono::milliseconds write_time{30'000}; // a response that the line does not take in this time is dropped
};

enum class RelayEnd { stopped, no_line, line_closed };

/// Returns when `stop_fd` becomes readable (it is not read), when the line cannot be had or when it closes.
[[nodiscard]] RelayEnd run_relay(const RelayOptions& options, int stop_fd);

/// A report callback that keeps the latest report in a file, replaced atomically.
[[nodiscard]] std::function<void(const std::string&)> report_to_file(std::filesystem::path file);
/// A callback for orders or secrets that reads a file which is replaced atomically; nothing when it is missing.
[[nodiscard]] std::function<std::string()> waiting_in_file(std::filesystem::path file);

} // namespace casemate::relay
