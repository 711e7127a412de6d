// SPDX-License-Identifier: Apache-2.0
// Implements canaries.hpp.
#include "tests/faults/canaries.hpp"

#include <algorithm>
#include <cstdio>

namespace casemate::faults {
namespace {

constexpr std::uint64_t frame = 2 << 20; // hypervisor/mm/frame_table.hpp: who owns memory is decided in these

struct Range {
    std::uint64_t base, size;
    [[nodiscard]] bool has(std::uint64_t at) const { return at >= base && at - base < size; }
};

/// Of all places where the VM's mark stands, the one that its guest address leads to. Copies of the page may lie about in the VM.
std::optional<Range> memory_of(const PhysicalMemory& memory, const Mark& mark, std::uint64_t size) {
    for (const std::uint64_t at : memory.find(mark.magic))
        if (at >= mark.guest_address && (at - mark.guest_address) % frame == 0) return Range{at - mark.guest_address, size};
    return std::nullopt;
}

bool is_zero(std::string_view bytes) {
    return std::ranges::all_of(bytes, [](char byte) { return byte == 0; });
}

std::string hexadecimal(std::uint64_t value) {
    char text[20];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
    return text;
}

/// The hypervisor gives out memory from above, and the canary's is the last that it gives to a VM: nobody uses what is below but the
/// hypervisor and the launch, whose frames are not zero.
std::set<std::uint64_t> zero_frames(const PhysicalMemory& memory, std::uint64_t end) {
    std::set<std::uint64_t> idle;
    for (std::uint64_t at = 0; at + frame <= end; at += frame)
        if (is_zero(memory.bytes().substr(at, frame))) idle.insert(at);
    return idle;
}

} // namespace

std::optional<std::string> Canaries::look(const PhysicalMemory& memory, const Mark& faulty, const Mark& canary) {
    const auto own = memory_of(memory, faulty, faulty_memory);
    const auto link_end = memory_of(memory, canary, canary_memory);
    if (!own || !link_end) return "a VM's mark is not in physical memory";
    // What the faulty VM sends over its link is its own affair: the canary has some of it.
    const auto places = memory.find(mark_);
    if (std::ranges::none_of(places, [&](std::uint64_t at) { return own->has(at); })) return "what the NIC received is not marked";
    for (const std::uint64_t at : places)
        if (!own->has(at) && !link_end->has(at)) return "what the NIC received stands at " + hexadecimal(at) + ", outside of its VM";
    if (idle_.empty()) idle_ = zero_frames(memory, link_end->base);
    if (idle_.empty()) return "no memory belongs to nobody";
    for (const std::uint64_t at : idle_)
        if (!is_zero(memory.bytes().substr(at, frame))) return "memory that belongs to nobody changed at " + hexadecimal(at);
    return std::nullopt;
}

} // namespace casemate::faults
