// SPDX-License-Identifier: Apache-2.0
// The six base address registers of a function as a guest sees them: sizing works as on hardware, but
// addresses are fixed by the hypervisor and no write moves them [PCI 3.0 6.2.5.1].
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace casemate::devices {

class BarRegisters {
public:
    static constexpr std::uint8_t first_offset = 0x10;
    static constexpr std::size_t count = 6;
    static constexpr std::uint8_t io = 1, wide = 4, prefetchable = 8; // flags, as in the register

    static constexpr bool contains(std::uint8_t offset) {
        return offset >= first_offset && offset < first_offset + 4 * count;
    }

    /// `size` is a power of two, `base` a multiple of it; a wide one takes the next register too.
    constexpr void define(std::size_t index, std::uint64_t base, std::uint64_t size, std::uint8_t flags) {
        registers_[index] = {.fixed = static_cast<std::uint32_t>(base) | flags,
                             .mask = static_cast<std::uint32_t>(~(size - 1)) | flags};
        if ((flags & wide) && index + 1 < count)
            registers_[index + 1] = {.fixed = static_cast<std::uint32_t>(base >> 32),
                                     .mask = static_cast<std::uint32_t>(~(size - 1) >> 32)};
    }
    [[nodiscard]] constexpr std::uint32_t read(std::uint8_t offset) const {
        const Register& bar = registers_[(offset - first_offset) / 4];
        return bar.sizing ? bar.mask : bar.fixed;
    }
    constexpr void write(std::uint8_t offset, unsigned width, std::uint32_t value) {
        registers_[(offset - first_offset) / 4].sizing = width == 4 && value == ~0u;
    }
    constexpr void reset() {
        for (Register& bar : registers_)
            bar.sizing = false;
    }

private:
    struct Register {
        std::uint32_t fixed = 0;
        std::uint32_t mask = 0;
        bool sizing = false; // the last write was all ones
    };
    std::array<Register, count> registers_{};
};

} // namespace casemate::devices
