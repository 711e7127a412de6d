// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/arch/start_cores.hpp"

#include "hypervisor/arch/clock.hpp"
#include "hypervisor/arch/cpu_tables.hpp"
#include "hypervisor/arch/host_apic.hpp"
#include "hypervisor/arch/paging.hpp"

#include <algorithm>
#include <cstring>

namespace casemate::arch {

extern "C" {
extern const std::uint8_t trampoline_start[], trampoline_end[], trampoline_words[];
extern const std::uint8_t trampoline_gdt_base[], trampoline_far_target[];
extern const std::uint8_t core_entry[];
// Read by core_entry in trampoline.S.
std::uint32_t started_cores;
std::uint32_t core_stack_count;
std::uint64_t core_stacks;
}

namespace {

constexpr std::uint64_t patience_ms = 2000, grace_ms = 100;
constexpr std::uint64_t real_mode_end = 0x9F000;
static_assert(core_stack_size == 1 << 15, "trampoline.S shifts by it");

std::optional<HostPhys> find_low_page(std::span<const launch::MemoryRange> ranges) {
    for (const launch::MemoryRange& range : ranges) {
        const std::uint64_t page = std::max((range.bytes.base + page_size - 1) & ~(page_size - 1), page_size);
        if (range.kind == launch::MemoryKind::usable && page < real_mode_end &&
            page + page_size <= range.bytes.base + range.bytes.size)
            return HostPhys{page};
    }
    return std::nullopt;
}

void add_to_word(std::uint8_t* where, std::uint32_t amount) {
    std::uint32_t word;
    std::memcpy(&word, where, sizeof word);
    word += amount;
    std::memcpy(where, &word, sizeof word);
}

void place_trampoline(HostPhys page) {
    auto* const copy = reinterpret_cast<std::uint8_t*>(page.value); // SAFETY: usable RAM that nobody owns
    const std::size_t size = static_cast<std::size_t>(trampoline_end - trampoline_start);
    std::memcpy(copy, trampoline_start, size);
    const std::size_t words = static_cast<std::size_t>(trampoline_words - trampoline_start);
    const std::uint64_t values[] = {page_table_root().value, reinterpret_cast<std::uint64_t>(core_entry)};
    std::memcpy(copy + words, values, sizeof values);
    const auto base = static_cast<std::uint32_t>(page.value);
    add_to_word(copy + (trampoline_gdt_base - trampoline_start), base);
    add_to_word(copy + (trampoline_far_target - trampoline_start), base);
}

std::uint32_t arrived() { return __atomic_load_n(&started_cores, __ATOMIC_ACQUIRE); }

void wait_for_cores(const CoreStart& request) {
    const std::uint64_t patience = read_tsc() + tsc_from_millis(patience_ms);
    while (arrived() < request.wanted && read_tsc() < patience) pause();
    std::uint32_t seen = arrived();
    for (std::uint64_t grace = read_tsc() + tsc_from_millis(grace_ms); read_tsc() < grace; pause()) {
        if (arrived() == seen) continue;
        seen = arrived();
        grace = read_tsc() + tsc_from_millis(grace_ms);
    }
}

} // namespace

unsigned start_cores(mm::TcbMemory& memory, const CoreStart& request) {
    const auto page = find_low_page(request.ranges);
    const auto stacks = memory.allocate(request.most * core_stack_size, page_size);
    if (!page || !stacks) return 0;
    core_stacks = stacks->value;
    core_stack_count = request.most;
    place_trampoline(*page);
    make_executable(*page);
    start_other_cores(*page);
    wait_for_cores(request);
    return std::min<unsigned>(arrived(), request.most);
}

} // namespace casemate::arch
