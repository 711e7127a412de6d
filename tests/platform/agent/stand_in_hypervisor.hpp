// SPDX-License-Identifier: Apache-2.0
// A hypervisor for the agent to talk to, without a machine: real policy, real event log, real PCR values (by swtpm),
// the real custody state machine's first entries, and a directory that looks like the control device in sysfs.
// It verifies what is submitted as the hypervisor does, but takes no step on it: the ledger stays as it is, because
// the software TPM serves the agent alone while it runs.
#pragma once

#include "attest/cose/signer.hpp"
#include "attest/grant/grant.hpp"
#include "hypervisor/custody/custody.hpp"
#include "policy/model/payload.hpp"

#include <atomic>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

namespace casemate::agent_test {

using Bytes = std::vector<std::uint8_t>;

struct StandInConfig {
    std::filesystem::path directory; // ours alone
    std::filesystem::path keys;      // of casemate-keys
    std::string swtpm;               // "host=127.0.0.1,port=N"
};

class StandInHypervisor {
public:
    /// `slb`: what was given to the TPM's locality-4 hash interface just before.
    StandInHypervisor(const StandInConfig& config, const Bytes& slb);
    ~StandInHypervisor();

    [[nodiscard]] const nlohmann::ordered_json& reference() const { return reference_; }
    [[nodiscard]] std::filesystem::path control_directory() const { return directory_ / "control"; }
    [[nodiscard]] std::vector<grant::Claims> accepted() const;
    [[nodiscard]] unsigned refused() const { return refused_; }
    [[nodiscard]] std::vector<measure::GateRequest> open_gates() const;

    /// Before serve(): what a liar would do to the log.
    Bytes& log() { return log_; }
    void serve();

private:
    class Ledger;
    void make_policy(const StandInConfig& config);
    void make_reference(const Bytes& slb);
    void make_launch(const Bytes& slb, const std::string& swtpm);
    void make_control_directory() const;
    void loop();
    std::pair<std::uint32_t, Bytes> answer(std::uint32_t operation, const Bytes& request);
    Bytes info() const;
    Bytes gates() const;
    Bytes status() const;
    Bytes submit(const Bytes& message);

    std::filesystem::path directory_;
    policy::Policy policy_;
    Bytes bundle_;
    std::array<std::uint8_t, 65> owner_key_{};
    nlohmann::ordered_json reference_;
    std::unique_ptr<Ledger> ledger_;
    std::unique_ptr<custody::Custody> custody_;
    Bytes log_;
    mutable std::mutex mutex_;
    std::vector<grant::Claims> accepted_;
    std::atomic<unsigned> refused_ = 0;
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

} // namespace casemate::agent_test
