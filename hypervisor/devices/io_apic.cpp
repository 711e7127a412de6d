// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/devices/io_apic.hpp"

namespace casemate::devices {
namespace {

constexpr std::uint64_t window_select = 0x00, window_data = 0x10;
constexpr std::uint8_t reg_id = 0, reg_version = 1, reg_arbitration = 2, reg_entries = 0x10;
constexpr std::uint32_t version = 0x11 | (IoApic::pins - 1) << 16;
constexpr std::uint64_t entry_masked = 1 << 16, entry_level = 1 << 15, entry_delivery_mask = 7 << 8;
constexpr std::uint64_t read_only_bits = 1 << 12 | 1 << 14; // delivery status, remote IRR
constexpr std::uint8_t first_vector = 16;

} // namespace

void IoApic::reset() {
    entries_.fill(entry_masked);
    level_.fill(0);
    selected_ = 0;
}

void IoApic::raise(unsigned pin) {
    if (const auto vector = open_vector(pin)) host_.post_interrupt(*vector);
}

std::optional<std::uint8_t> IoApic::open_vector(unsigned pin) const {
    const std::uint64_t entry = entries_[pin % pins];
    const auto vector = static_cast<std::uint8_t>(entry);
    if ((entry & (entry_masked | entry_delivery_mask)) != 0 || vector < first_vector) return std::nullopt;
    return vector;
}

std::uint64_t IoApic::read_memory(std::uint64_t offset, unsigned) {
    if (offset == window_select) return selected_;
    return offset == window_data ? read_register() : 0;
}

void IoApic::write_memory(std::uint64_t offset, unsigned, std::uint64_t value) {
    if (offset == window_select)
        selected_ = static_cast<std::uint8_t>(value);
    else if (offset == window_data)
        write_register(static_cast<std::uint32_t>(value));
}

std::uint32_t IoApic::read_register() const {
    if (selected_ == reg_version) return version;
    if (selected_ == reg_id || selected_ == reg_arbitration || selected_ < reg_entries) return 0;
    const unsigned pin = (selected_ - reg_entries) / 2;
    if (pin >= pins) return 0;
    return static_cast<std::uint32_t>(entries_[pin] >> (selected_ % 2 != 0 ? 32 : 0));
}

void IoApic::write_register(std::uint32_t value) {
    const unsigned pin = (selected_ - reg_entries) / 2;
    if (selected_ < reg_entries || pin >= pins) return;
    const std::uint64_t entry = entries_[pin];
    entries_[pin] = (selected_ % 2 != 0 ? (entry & 0xffffffff) | std::uint64_t{value} << 32
                                        : (entry & ~0xffffffffull) | value) &
                    ~read_only_bits;
    level_.fill(0);
    for (const std::uint64_t each : entries_)
        if ((each & entry_level) != 0) level_[(each & 0xff) / 32] |= 1u << each % 32;
}

} // namespace casemate::devices
