// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/slb/page_tables.hpp"

namespace casemate::slb {

namespace {

// Entry bits [APM2 5.3.3-5.3.5].
constexpr std::uint64_t p = 1ull << 0, rw = 1ull << 1, pwt = 1ull << 3, pcd = 1ull << 4, ps = 1ull << 7, nx = 1ull << 63;

constexpr std::uint64_t gib = 1ull << 30;
constexpr std::uint64_t mmio_start = 0xfec00000;
constexpr std::size_t mmio_gib = mmio_start / gib;

// Indices of link_base; the window's pages fill `window_tables` tables.
constexpr std::size_t root_index = link_base >> 39 & 511, upper_index = link_base >> 30 & 511;
constexpr std::size_t window_tables = image_window / large_page_size;
static_assert(root_index == 511 && (link_base >> 21 & 511) == 0);

enum Page : std::size_t { root, low, mmio, upper, window, first_table };
static_assert(first_table + window_tables <= page_table_pages);

void map_identity(PageTable& giants, PageTable& fourth_gib, std::uint64_t fourth_gib_entry) {
    for (std::size_t i = 0; i < giants.size(); ++i) giants[i] = i * gib | nx | ps | rw | p;
    giants[mmio_gib] = fourth_gib_entry;
    for (std::size_t i = 0; i < fourth_gib.size(); ++i) {
        const std::uint64_t address = mmio_gib * gib + i * large_page_size;
        fourth_gib[i] = address | nx | ps | rw | p | (address >= mmio_start ? pcd | pwt : 0);
    }
}

void map_segment(std::span<PageTable> tables, const ElfSegment& segment, HostPhys image) {
    const std::uint64_t bits = p | (segment.writable ? rw : 0) | (segment.executable ? 0 : nx);
    for (std::uint64_t at = segment.offset; at < segment.offset + segment.size; at += page_size)
        tables[at / large_page_size][at / page_size % 512] = (image + at).value | bits;
}

} // namespace

PageTableRoots build_page_tables(std::span<PageTable, page_table_pages> pages, HostPhys at,
                                 const HypervisorMapping& mapping) {
    for (PageTable& page : pages) page.fill(0);
    const auto entry = [&](std::size_t page) { return (at + page * page_size).value | rw | p; };
    map_identity(pages[low], pages[mmio], entry(mmio));
    pages[root][0] = entry(low);
    pages[root][root_index] = entry(upper);
    pages[upper][upper_index] = entry(window);
    for (std::size_t i = 0; i < window_tables; ++i) pages[window][i] = entry(first_table + i);
    const std::span<PageTable> tables = pages.subspan(first_table, window_tables);
    for (std::size_t i = 0; i < mapping.elf.segment_count; ++i)
        map_segment(tables, mapping.elf.segments[i], mapping.image);
    tables[window_tables - 1][511] = mapping.jump_page.value | p;
    return {at + root * page_size, entry(upper)};
}

} // namespace casemate::slb
