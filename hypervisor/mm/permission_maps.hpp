// SPDX-License-Identifier: Apache-2.0
// The two bit maps by which SVM lets a guest use ports and model-specific registers without an exit.
// Invariant: both start with every access intercepted; only what is named is opened.
// One of each for a VM; the hardware reads them by their physical address, so they live in TCB memory.
#pragma once

#include "hypervisor/base/bytes.hpp"

#include <cstdint>
#include <optional>

namespace casemate::mm {

/// I/O permission map, one bit a port, 1 = intercept [APM2 15.10.1].
struct IoPermissionMap {
    static constexpr std::size_t size = 3 * 4096;
    alignas(4096) std::uint8_t bytes[size];

    void intercept_all() {
        for (auto& byte : bytes) byte = 0xff;
    }
    void allow(std::uint16_t first, std::uint16_t count) { set(first, count, false); }
    void intercept(std::uint16_t first, std::uint16_t count) { set(first, count, true); }
    [[nodiscard]] bool intercepted(std::uint16_t port) const { return (bytes[port / 8] >> (port % 8)) & 1; }

private:
    void set(std::uint16_t first, std::uint16_t count, bool intercepting) {
        for (std::uint32_t port = first; port < std::uint32_t{first} + count && port <= 0xffff; ++port) {
            const auto bit = static_cast<std::uint8_t>(1u << (port % 8));
            bytes[port / 8] =
                static_cast<std::uint8_t>(intercepting ? bytes[port / 8] | bit : bytes[port / 8] & ~bit);
        }
    }
};

/// MSR permission map, two bits a register: read, write; 1 = intercept [APM2 15.11].
struct MsrPermissionMap {
    static constexpr std::size_t size = 2 * 4096;
    alignas(4096) std::uint8_t bytes[size];

    void intercept_all() {
        for (auto& byte : bytes) byte = 0xff;
    }
    /// Only for registers that the map covers; others are always intercepted.
    void allow_read_write(std::uint32_t msr) {
        if (const auto bit = first_bit(msr))
            bytes[*bit / 8] = static_cast<std::uint8_t>(bytes[*bit / 8] & ~(3u << (*bit % 8)));
    }

    /// The three ranges the map covers: 0.., C0000000.., C0010000.., 8 Ki registers each.
    static constexpr std::optional<std::uint32_t> first_bit(std::uint32_t msr) {
        constexpr std::uint32_t bases[] = {0, 0xC0000000, 0xC0010000};
        for (std::uint32_t i = 0; i < 3; ++i)
            if (msr >= bases[i] && msr - bases[i] < 0x2000) return i * 0x4000 + 2 * (msr - bases[i]);
        return std::nullopt;
    }
};

} // namespace casemate::mm
