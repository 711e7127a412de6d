// SPDX-License-Identifier: Apache-2.0
// The agent's conversation with verifier, TPM and hypervisor [verifier-api.md, control.md].
// The agent is a carrier: it decides nothing. Evidence is signed by the TPM, grants by the verifier, and both are
// checked by the other side; a lying agent can only delay.
// Who calls it: main.cpp's loop, and the tests with stand-ins. Not thread-safe.
#pragma once

#include "attest/agent/hypervisor_client.hpp"
#include "attest/agent/operator_orders.hpp"
#include "attest/agent/secret_carrier.hpp"
#include "attest/agent/tpm.hpp"
#include "attest/agent/transport.hpp"

#include <chrono>
#include <set>

namespace casemate::agent {

/// What the last appraisal said; part of the status report.
struct Standing {
    std::string platform_id{};
    std::string verdict{"none"};
    Json reasons = Json::array();
    std::uint64_t attestations = 0;
    Json refused_submissions = Json::array();
};

class Protocol {
public:
    Protocol(Tpm& tpm, HypervisorClient& hypervisor, Transport& transport)
        : tpm_{tpm}, hypervisor_{hypervisor}, transport_{transport} {}

    /// EK certificate and AK to the verifier, credential activation back; then there is a token.
    Outcome<Done> enrol();
    /// Hands on what the owner left in the TPM for a platform whose road to the verifier is a device. Before anything is granted: once.
    Outcome<Done> bootstrap();
    [[nodiscard]] bool enrolled() const { return !token_.empty(); }

    /// One challenge, one quote, the grants that come of it submitted. The value is when to come again.
    Outcome<std::chrono::milliseconds> attest();
    /// True when a gate is open that no evidence has carried yet.
    Outcome<bool> has_new_gates();
    /// Fetches revocations and submits them.
    Outcome<Done> poll_orders();
    /// The status report to who takes it on this road; its answer brings the operator's orders, whose results are reported at once.
    Outcome<Done> report();

    /// Fetches this platform's sealed secrets and hands them on to VMs that have started. True while one cannot have its own yet.
    Outcome<bool> carry_secrets();

    [[nodiscard]] const Standing& standing() const { return standing_; }

private:
    struct Snapshot;
    struct Challenge;
    Outcome<Json> call(const std::string& method, const std::string& path, Json body);
    Outcome<Challenge> challenge();
    Outcome<Snapshot> consistent_snapshot(const Challenge& challenge);
    Outcome<Snapshot> snapshot(const Challenge& challenge);
    Outcome<Json> send_report();
    Outcome<Done> submit(const char* kind, const std::vector<Bytes>& messages);
    void note(const char* kind, std::uint64_t error);
    [[nodiscard]] std::string platform_path(const char* rest) const;

    Tpm& tpm_;
    HypervisorClient& hypervisor_;
    Transport& transport_;
    std::optional<EndorsementKey> ek_{};
    std::optional<AttestationKey> ak_{};
    std::string token_{};
    std::set<Bytes> gates_sent_{};
    Bytes firmware_log_{}; // once a verifier has asked for it
    OperatorOrders orders_{};
    SecretCarrier secrets_{};
    Standing standing_{};
};

} // namespace casemate::agent
