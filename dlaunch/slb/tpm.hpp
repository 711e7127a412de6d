// SPDX-License-Identifier: Apache-2.0
// The SLB's TPM: the few commands of a launch, at locality 2, over the FIFO interface.
// Invariant: every result is checked, every wait bounded (hw/tpm_tis.hpp); a TPM that asks for patience
// (TPM_RC_RETRY and its kin) gets a bounded number of tries. Called by measured_launch.cpp and main.cpp.
#pragma once

#include "dlaunch/measure/tpm_wire.hpp"
#include "dlaunch/slb/launch_failure.hpp"
#include "hypervisor/hw/mmio.hpp"

namespace casemate::slb {

class Tpm {
public:
    explicit Tpm(const hw::Clock& clock) : tis_{bus_, clock} {}
    Tpm(const Tpm&) = delete;
    Tpm& operator=(const Tpm&) = delete;

    Status<LaunchFailure> take_locality();
    void release_locality() { tis_.release_locality(); }

    Result<measure::Banks, LaunchFailure> active_banks();
    Result<measure::Digest, LaunchFailure> read(measure::TPM_ALG_ID bank, std::uint32_t pcr);
    Status<LaunchFailure> extend(std::uint32_t pcr, const measure::DigestSet& digests);

private:
    /// The response to a command that the TPM did not ask to send again.
    Result<ByteView, LaunchFailure> exchange(ByteView command);

    hw::MmioBus bus_{hw::tis::base + 2 * hw::tis::locality_size};
    hw::TpmTis<hw::MmioBus> tis_;
    std::array<std::uint8_t, measure::tpm_buffer_size> command_{};
    std::array<std::uint8_t, measure::tpm_buffer_size> response_{};
};

/// Makes PCR 17-22 useless for ever: 0xFF..FF into all of them [docs/interfaces/ledger.md]. Best effort, for a
/// launch that failed; false when some PCR could not be extended.
bool cap_launch_pcrs(const hw::Clock& clock);

} // namespace casemate::slb
