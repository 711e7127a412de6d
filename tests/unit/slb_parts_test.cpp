// SPDX-License-Identifier: Apache-2.0
// Smaller parts of the SLB: page tables of the hand-over, relocations, the search for the IOMMU.
#include "dlaunch/slb/iommu_search.hpp"
#include "dlaunch/slb/page_tables.hpp"
#include "dlaunch/slb/relocations.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/pci_model.hpp"

#include <memory>
#include <vector>

using namespace casemate;
using namespace casemate::slb;

namespace {

constexpr HostPhys tables_at{0x10601000}, image_at{0x10200000}, jump_at{0x105ff000};

struct Tables {
    std::vector<PageTable> pages = std::vector<PageTable>(page_table_pages);
    PageTableRoots roots{};

    Tables() {
        ElfImage elf;
        elf.segments[0] = {0, 0x1800, 0, 0x1800, false, true};
        elf.segments[1] = {0, 0x10, 0x2000, 0x10, false, false};
        elf.segments[2] = {0, 0x10, 0x1ff000, 0x3000, true, false}; // over the border of a table
        elf.segment_count = 3;
        roots = build_page_tables(std::span<PageTable, page_table_pages>{pages}, tables_at, {elf, image_at, jump_at});
    }
    /// The leaf entry for a virtual address, walked as the processor does; 0 when there is none.
    std::uint64_t leaf(std::uint64_t address) const {
        HostPhys table = roots.root;
        for (unsigned shift = 39;; shift -= 9) {
            const std::uint64_t entry = pages.at((table - tables_at) / page_size)[address >> shift & 511];
            const bool large = entry & 0x80;
            if (!(entry & 1) || large || shift == 12) return entry & 1 ? entry : 0;
            table = {entry & 0x000ffffffffff000};
        }
    }
};

constexpr std::uint64_t nx = 1ull << 63, address_bits = 0x000ffffffffff000;

} // namespace

TEST_CASE("the hypervisor's segments are mapped with their permissions, and nothing between them") {
    const Tables t;
    CHECK(t.leaf(link_base) == (image_at.value | 1));
    CHECK(t.leaf(link_base + 0x1000) == ((image_at.value + 0x1000) | 1));
    CHECK(t.leaf(link_base + 0x2000) == ((image_at.value + 0x2000) | 1 | nx));
    CHECK(t.leaf(link_base + 0x3000) == 0);
    CHECK(t.leaf(link_base + 0x1ff000) == ((image_at.value + 0x1ff000) | 3 | nx));
    CHECK(t.leaf(link_base + 0x201000) == ((image_at.value + 0x201000) | 3 | nx));
    CHECK(t.leaf(link_base + 0x202000) == 0);
}

TEST_CASE("the page of the jump is executable and not writable") {
    CHECK(Tables{}.leaf(link_base + image_window - page_size) == (jump_at.value | 1));
}

TEST_CASE("physical memory is mapped at itself, never executable, registers uncached") {
    const Tables t;
    for (const std::uint64_t address : {0ull, 0x7de80000ull, 0xc0000000ull, 0xfebff000ull, 0x100000000ull, 511ull << 30}) {
        INFO(address);
        const std::uint64_t entry = t.leaf(address);
        const std::uint64_t reach = address >> 30 == 3 ? large_page_size : 1ull << 30;
        CHECK((entry & address_bits) == address / reach * reach);
        CHECK((entry & nx) != 0);
        CHECK((entry & 0x18) == 0);
        CHECK((entry & 2) != 0);
    }
    for (const std::uint64_t address : {0xfec00000ull, 0xfed40000ull, 0xfed80000ull, 0xfee00000ull, 0xffe00000ull})
        CHECK((t.leaf(address) & 0x18) == 0x18);
    CHECK(t.leaf(512ull << 30) == 0);
}

TEST_CASE("taking relocations back restores the words that the linker wrote, and no other") {
    constexpr std::uint64_t base = 0x7de80000;
    std::vector<std::uint8_t> image(0x400);
    const auto put = [&](std::uint64_t at, std::uint64_t word) { std::memcpy(&image[at], &word, sizeof word); };
    for (std::uint64_t at = 0; at < image.size(); at += 8) put(at, at * 3);
    const std::vector<std::uint8_t> original = image;
    // 0x40; then of the words from 0x48 on the first and the 63rd; of those from 0x240 on the second.
    const std::vector<std::uint64_t> relr{0x40, 1ull << 63 | 1 << 1 | 1, 1 << 2 | 1};
    for (const std::uint64_t at : {0x40, 0x48, 0x48 + 62 * 8, 0x48 + 63 * 8 + 8}) put(at, at * 3 + base);
    REQUIRE(image != original);
    take_back_relocations(image, relr, base);
    CHECK(image == original);
}

namespace {

constexpr DeviceAddress iommu_at{0, 0, 1, 0};

/// As QEMU has it: the IOMMU capability is the last of three.
testing::ModelFunction iommu_function() {
    testing::ModelFunction f;
    f.put(0x00, 0x00081022);
    f.put(0x04, 1u << 20);
    f.put(0x08, 0x08060000);
    f.put(0x34, 0x60);
    f.put(0x60, 0x805c05);
    f.put(0x5c, 0x5808);
    f.put(0x58, 0x4005);
    f.put(0x40, 0x1f03000f);
    f.put(0x44, 0xfed80000);
    f.allow(0x44, 1);
    return f;
}

} // namespace

TEST_CASE("the IOMMU is found by its capability and its registers are switched on") {
    testing::ModelPci pci;
    pci.functions[{0, 0, 0, 0}].put(0, 0x29c08086);
    pci.functions[iommu_at] = iommu_function();
    const auto found = find_iommu(pci);
    REQUIRE(found.ok());
    CHECK(found.value().base == HostPhys{0xfed80000});
    CHECK((pci.functions[iommu_at].get(0x44) & 1) == 1);
}

TEST_CASE("an IOMMU above 4 GiB is found, too") {
    testing::ModelPci pci;
    pci.functions[iommu_at] = iommu_function();
    pci.functions[iommu_at].put(0x48, 0x10);
    CHECK(find_iommu(pci).value().base == HostPhys{0x10fed80000});
}

TEST_CASE("no IOMMU, two of them, or one without a base are refused") {
    testing::ModelPci pci;
    pci.functions[{0, 0, 0, 0}].put(0, 0x29c08086);
    CHECK(find_iommu(pci).error() == SearchError::none);
    pci.functions[iommu_at] = iommu_function();
    pci.functions[iommu_at].put(0x44, 0);
    CHECK(find_iommu(pci).error() == SearchError::none);
    pci.functions[iommu_at] = iommu_function();
    pci.functions[{0, 0x40, 0, 0}] = iommu_function();
    CHECK(find_iommu(pci).error() == SearchError::several);
}

TEST_CASE("a capability list that runs in a circle ends the search of that function") {
    testing::ModelPci pci;
    pci.functions[iommu_at] = iommu_function();
    pci.functions[iommu_at].put(0x58, 0x6005);
    CHECK(find_iommu(pci).error() == SearchError::none);
}
