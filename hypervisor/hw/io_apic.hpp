// SPDX-License-Identifier: Apache-2.0
// The host's I/O APIC behind interrupt remapping [82093AA 3; AMDVI 2.2.5]. `Bus` reads and writes its 32-bit registers.
// A remapped entry's vector selects the requester's remapping entry, whatever that entry then delivers; and it is by the
// vector that a level-triggered pin is told that its interrupt has ended: the processor's own end of interrupt may not reach
// a pin whose message was remapped (QEMU's never does).
// Invariant: a pin is masked unless reopen() was called for it and mask() was not called since.
#pragma once

#include <cstdint>

namespace casemate::hw {

template <typename Bus>
class IoApic {
public:
    constexpr explicit IoApic(Bus bus) : bus_{bus} {}

    /// Masks every pin. False when it does not answer, has less than `pins` pins or no register to end interrupts by.
    [[nodiscard]] bool take_over(unsigned pins) {
        const std::uint32_t version = read(version_register);
        const std::uint32_t count = (version >> 16 & 0xff) + 1;
        if (count < pins || count > max_pins || (version & 0xff) < first_with_end_of_interrupt) return false;
        for (unsigned pin = 0; pin < count; ++pin) write(entry(pin), masked);
        return (read(entry(pins - 1)) & masked) != 0;
    }
    /// Level-triggered, masked still; PCI's lines are active low, those of ISA high. `apic_id` counts where nothing remaps.
    void route(unsigned pin, std::uint8_t vector, std::uint8_t apic_id) {
        write(entry(pin) + 1, std::uint32_t{apic_id} << 24);
        write(entry(pin), vector | level | masked | (pin < isa_pins ? 0 : active_low));
    }
    void mask(unsigned pin) { write(entry(pin), read(entry(pin)) | masked); }
    /// Its interrupt has ended: it may send the next one, at once if its line is up still.
    void end(unsigned pin) { bus_.write32(end_register, read(entry(pin)) & 0xff); }
    void reopen(unsigned pin) {
        end(pin);
        write(entry(pin), read(entry(pin)) & ~masked);
    }

private:
    static constexpr std::uint32_t select = 0x00, window = 0x10, end_register = 0x40;
    static constexpr std::uint32_t version_register = 0x01, isa_pins = 16, max_pins = 240, first_with_end_of_interrupt = 0x20;
    static constexpr std::uint32_t active_low = 1u << 13, level = 1u << 15, masked = 1u << 16;

    static constexpr std::uint32_t entry(unsigned pin) { return 0x10 + 2 * pin; }
    [[nodiscard]] std::uint32_t read(std::uint32_t index) {
        bus_.write32(select, index);
        return bus_.read32(window);
    }
    void write(std::uint32_t index, std::uint32_t value) {
        bus_.write32(select, index);
        bus_.write32(window, value);
    }

    Bus bus_;
};

} // namespace casemate::hw
