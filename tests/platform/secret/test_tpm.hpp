// SPDX-License-Identifier: Apache-2.0
// A software TPM of its own, spoken to in bytes at any locality, with a record of all that went over the wire: what somebody who
// listens on the bus of a discrete TPM would have.
#pragma once

#include "attest/secret/owner_tpm.hpp"
#include "attest/secret/release.hpp"
#include "dlaunch/model/software_tpm.hpp"
#include "dlaunch/model/state_dir.hpp"
#include "dlaunch/model/tpm_identity.hpp"

namespace casemate::secret_test {

using secret::Bytes;

class TestTpm final : public secret::ReleaseHost {
public:
    TestTpm();

    /// What SKINIT does: PCR 17 to 22 start at zero (17: with a measurement).
    void launch();
    /// A new power cycle, without a launch.
    void power_cycle();
    void set_locality(std::uint8_t locality) { locality_ = locality; }
    /// The owner's commands, at locality 0.
    [[nodiscard]] secret::TpmExchange owner();
    [[nodiscard]] secret::Digest pcr(std::uint32_t index);
    void extend(std::uint32_t index, const secret::Digest& digest);
    /// Handles of loaded objects and sessions: nothing may stay behind.
    [[nodiscard]] std::size_t loaded_handles();

    // --- secret::ReleaseHost
    Result<ByteSpan, measure::TpmFault> transmit(ByteView command, ByteSpan response) override;
    bool random(ByteSpan out) override;

    /// Everything that was sent and received since the last clear().
    Bytes wire;
    /// Flips a bit of the nth response from now on; -1: none.
    int spoil_response = -1;
    bool has_random = true;
    unsigned commands = 0;

private:
    Bytes exchange(ByteView command, std::uint8_t locality);

    model::StateDir state_;
    model::TpmIdentity identity_;
    std::unique_ptr<model::SoftwareTpm> tpm_;
    std::uint8_t locality_ = 2;
};

} // namespace casemate::secret_test
