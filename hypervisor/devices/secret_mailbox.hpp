// SPDX-License-Identifier: Apache-2.0
// One secret on its way to its VM (docs/interfaces/secret.md): put in by the boot core, read by the guest from one port, a byte a read:
// the name's length, the name, the secret's length, the secret. Invariant: a byte is gone once it is read, all are when the VM
// stops. Nothing there: ones, as of a port that nobody has. put() may come from any one core, everything else is the VM's own core's.
#pragma once

#include "hypervisor/base/bytes.hpp"
#include "hypervisor/devices/io_bus.hpp"

#include <array>
#include <atomic>
#include <string_view>

namespace casemate::devices {

class SecretMailbox final : public PortDevice {
public:
    static constexpr std::uint16_t port = 0x614;
    static constexpr std::size_t max_name = 31, max_secret = 128;

    /// False when the last one is not read yet, or a length is none or too much.
    [[nodiscard]] bool put(std::string_view name, ByteView secret);
    [[nodiscard]] bool empty() const { return size_.load(std::memory_order_acquire) == 0; }
    void reset();

    std::uint32_t read_port(std::uint16_t, unsigned) override;
    void write_port(std::uint16_t, unsigned, std::uint32_t) override {}

private:
    std::array<std::uint8_t, 2 + max_name + max_secret> bytes_{};
    std::atomic<std::uint8_t> size_{0}; // 0: nothing there
    std::uint8_t read_ = 0;
};

} // namespace casemate::devices
