// SPDX-License-Identifier: Apache-2.0
// Memory-mapped registers at identity-mapped physical addresses: each access has exactly its width and happens
// exactly once, in program order.
#pragma once

#include "hypervisor/arch/mmio.hpp"
#include "hypervisor/base/address.hpp"
#include "hypervisor/hw/register_block.hpp"

namespace casemate::hw {

/// The registers of one device, for drivers that are templates over their bus.
class MmioBus {
public:
    constexpr explicit MmioBus(HostPhys base) : base_{base} {}
    [[nodiscard]] std::uint8_t read8(std::uint32_t offset) const { return arch::mmio_read<std::uint8_t>(base_ + offset); }
    [[nodiscard]] std::uint32_t read32(std::uint32_t offset) const { return arch::mmio_read<std::uint32_t>(base_ + offset); }
    void write8(std::uint32_t offset, std::uint8_t value) { arch::mmio_write(base_ + offset, value); }
    void write32(std::uint32_t offset, std::uint32_t value) { arch::mmio_write(base_ + offset, value); }

private:
    HostPhys base_;
};

/// The same for drivers that take a RegisterBlock.
class MmioRegisterBlock final : public RegisterBlock {
public:
    constexpr explicit MmioRegisterBlock(HostPhys base) : base_{base} {}
    [[nodiscard]] std::uint64_t read64(std::uint64_t offset) const override {
        return arch::mmio_read<std::uint64_t>(base_ + offset);
    }
    void write64(std::uint64_t offset, std::uint64_t value) override { arch::mmio_write(base_ + offset, value); }

private:
    HostPhys base_;
};

} // namespace casemate::hw
