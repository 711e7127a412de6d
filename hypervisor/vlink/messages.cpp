// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/vlink/messages.hpp"

namespace casemate::vlink {
namespace {

constexpr std::uint16_t control_enable = 1 << 15, control_mask = 1 << 14;
constexpr std::size_t at_address = 0, at_upper = 1, at_data = 2, at_control = 3; // dwords of an entry
constexpr std::uint32_t entry_masked = 1;
// A message to an APIC [APM2 16.11]: destination in bits 19:12, logical if bit 2 is set.
constexpr std::uint32_t address_base = 0xFEE00000, address_base_mask = 0xFFF00000, address_logical = 1 << 2;
constexpr std::uint32_t data_delivery_mask = 7 << 8, data_level = 1 << 15;
constexpr std::uint8_t everybody = 0xFF, first_vector = 16;

} // namespace

void Messages::reset() {
    control_ = 0;
    pending_ = 0;
    for (std::uint16_t entry = 0; entry < count; ++entry) {
        for (std::size_t word = 0; word < at_control; ++word) table_[entry * 4u + word] = 0;
        table_[entry * 4u + at_control] = entry_masked;
    }
}

bool Messages::masked(std::uint16_t entry) const {
    return (control_ & control_mask) != 0 || (table_[entry * 4u + at_control] & entry_masked) != 0;
}

std::optional<std::uint8_t> Messages::vector(std::uint16_t entry) const {
    const std::uint32_t* const words = &table_[entry * 4u];
    const auto destination = static_cast<std::uint8_t>(words[at_address] >> 12);
    const bool to_us = (words[at_address] & address_logical) != 0
                           ? (destination & 1) != 0
                           : destination == 0 || destination == everybody;
    const auto number = static_cast<std::uint8_t>(words[at_data]);
    const bool fixed = (words[at_data] & (data_delivery_mask | data_level)) == 0 && number >= first_vector;
    if (!to_us || !fixed || words[at_upper] != 0 || (words[at_address] & address_base_mask) != address_base)
        return std::nullopt;
    return number;
}

void Messages::raise(std::uint16_t entry) {
    if (entry >= count || (control_ & control_enable) == 0) return;
    pending_ |= 1u << entry;
    send_pending();
}

void Messages::send_pending() {
    if ((control_ & control_enable) == 0) return;
    for (std::uint16_t entry = 0; entry < count; ++entry) {
        if ((pending_ >> entry & 1) == 0 || masked(entry)) continue;
        pending_ &= ~(1u << entry);
        if (const auto number = vector(entry)) host_.post_interrupt(*number);
    }
}

void Messages::write_control(std::uint16_t value) {
    control_ = value & (control_enable | control_mask);
    send_pending();
}

void Messages::write(std::size_t index, std::uint32_t value) {
    table_[index] = index % 4 == at_control ? value & entry_masked : value;
    send_pending();
}

} // namespace casemate::vlink
