// SPDX-License-Identifier: Apache-2.0
// The agent VM's view of the TPM: the command response buffer interface at locality 0 [TCG-PTP 6.5.3], as
// Linux's tpm_crb driver uses it. The register page is mapped read-only, so reads do not exit and writes
// arrive here; the command buffer is plain memory of the VM. Invariant: a command is copied once into TCB
// memory and checked there; only those that the policy lists reach the TPM. UNTRUSTED: everything that the guest writes, the
// buffer's contents at any time.
#pragma once

#include "hypervisor/base/bytes.hpp"
#include "hypervisor/devices/io_bus.hpp"

#include <array>
#include <optional>
#include <span>

namespace casemate::devices {

/// Who runs the agent's commands (core/tpm_service).
class AgentTpm {
public:
    /// Starts a command; false when one is under way.
    virtual bool submit(ByteView command) = 0;
    /// The response, once; nothing while the command runs. An empty one means that the TPM failed.
    virtual std::optional<ByteView> poll() = 0;

protected:
    ~AgentTpm() = default;
};

class TpmCrb final : public MemoryDevice {
public:
    static constexpr std::uint64_t base =
        0xfed40000; // guest-physical: registers; the buffer is the next page
    static constexpr std::size_t page = 4096, buffer_size = page;
    static constexpr std::uint64_t control_area = base + 0x40;

    /// Both spans are whole pages that the guest sees at `base` (read-only) and `base + page`.
    TpmCrb(ByteSpan registers, ByteSpan buffer, std::span<const std::uint32_t> allowed, AgentTpm& tpm);

    std::uint64_t read_memory(std::uint64_t offset, unsigned width) override;
    void write_memory(std::uint64_t offset, unsigned width, std::uint64_t value) override;

    /// Fetches the response of a running command; on every tick.
    void poll();
    /// The VM starts anew.
    void reset();

private:
    void put(std::uint32_t offset, std::uint32_t value);
    void start();
    void answer(ByteView response);
    void answer_error(std::uint32_t code);

    ByteSpan registers_;
    ByteSpan buffer_;
    std::span<const std::uint32_t> allowed_; // TPM_CC
    AgentTpm& tpm_;
    std::array<std::uint8_t, buffer_size> command_{};
    bool ready_ = false;
    bool running_ = false;
};

} // namespace casemate::devices
