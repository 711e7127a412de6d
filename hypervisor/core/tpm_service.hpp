// SPDX-License-Identifier: Apache-2.0
// The only user of the TPM after the SLB. Two customers, one at a time: the hypervisor (extends, random
// numbers) at locality 2, waiting for each answer, and the agent VM at locality 0, whose commands run while
// the machine goes on. Invariant: one command is under way at most; the hypervisor's own command waits for
// the agent's to end, for at most the longest duration of a TPM command, and keeps its response. Boot core
// only.
#pragma once

#include "dlaunch/measure/tpm_wire.hpp"
#include "hypervisor/devices/tpm_crb.hpp"
#include "hypervisor/hw/mmio.hpp"
#include "hypervisor/hw/tpm_tis.hpp"

namespace casemate::core {

enum class TpmError : std::uint8_t {
    bus = 1, // the interface did not follow its protocol in time
    refused, // the TPM answered with an error code, or with something that is no answer
};

/// Told again and again while a command of the agent is waited for: that may take seconds.
class TpmWaiting {
public:
    virtual void while_tpm_is_busy() = 0;

protected:
    ~TpmWaiting() = default;
};

class TpmService final : public devices::AgentTpm {
public:
    TpmService(const hw::Clock& clock, TpmWaiting& waiting);

    Status<TpmError> extend(std::uint32_t pcr, const measure::DigestSet& digests);
    /// Fills `out`, at most 32 bytes.
    Status<TpmError> random(ByteSpan out);
    Result<std::uint64_t, TpmError> clock();
    /// Any command, at locality 2; the size of its response.
    Result<std::size_t, TpmError> transmit(ByteView command, ByteSpan response);

    bool submit(ByteView command) override;
    std::optional<ByteView> poll() override;
    /// Lets a running command of the agent come to its end and keeps the response for poll().
    void settle_agent();

private:
    using Tis = hw::TpmTis<hw::MmioBus>;
    enum class Agent : std::uint8_t { idle, running, done };

    template <typename Value, typename Parse>
    Result<Value, TpmError> ask(ByteView command, Parse parse);
    void finish_agent();

    hw::MmioBus agent_bus_, own_bus_;
    Tis agent_tis_, own_tis_;
    const hw::Clock& clock_;
    TpmWaiting& waiting_;
    Agent agent_ = Agent::idle;
    hw::Deadline agent_deadline_;
    std::size_t agent_response_size_ = 0; // 0: the TPM failed
    std::array<std::uint8_t, devices::TpmCrb::buffer_size> agent_response_{};
    std::array<std::uint8_t, measure::tpm_buffer_size> own_command_{};
    std::array<std::uint8_t, measure::tpm_buffer_size> own_response_{};
};

} // namespace casemate::core
