// SPDX-License-Identifier: Apache-2.0
// A TPM 2.0 in a process of its own (swtpm), made as a manufacturer makes one, with an RSA-2048 or an ECC P-256 endorsement key, its
// certificate in NV, and PCR 17-22 as a launch leaves them. One client at a time: open() gives the agent's own view of it.
// Throws std::runtime_error.
#pragma once

#include <filesystem>
#include <memory>

#include "attest/agent/tpm.hpp"
#include "dlaunch/model/child.hpp"
#include "tests/fleet/authority.hpp"
#include "tests/fleet/launch_model.hpp"
#include "tests/fleet/software_tpm.hpp"

namespace casemate::fleet {

class Swtpm {
public:
    /// RSA: the certificate is by swtpm's own authority, certificates() has it. ECC: by `authority`.
    Swtpm(const std::filesystem::path& directory, EkKind kind, const Authority& authority);
    ~Swtpm();
    Swtpm(const Swtpm&) = delete;
    Swtpm& operator=(const Swtpm&) = delete;

    /// PEM, what a verifier is to trust.
    [[nodiscard]] std::filesystem::path certificates() const { return directory_ / "ca.pem"; }

    /// SKINIT's measurement of the SLB, then the events behind it.
    void launch(const LaunchModel& model, ByteView log);
    /// Events that the log has got since.
    void extend(ByteView log);
    [[nodiscard]] agent::Tpm open() const;

private:
    /// As swtpm and its TCTI both take it.
    [[nodiscard]] std::string address() const { return "path=" + (directory_ / "tpm.sock").string(); }
    [[nodiscard]] std::string control() const { return (directory_ / "tpm.sock.ctrl").string(); }
    void start();
    void give_ecc_certificate(const Authority& authority) const;

    std::filesystem::path directory_;
    std::unique_ptr<model::Reactor> reactor_;
    std::unique_ptr<model::Child> process_;
    std::size_t extended_ = 0; // events of the log
};

} // namespace casemate::fleet
