// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/arch/paging.hpp"

#include "hypervisor/arch/instructions.hpp"

#include <algorithm>

namespace casemate::arch {

// Section borders, from hypervisor.ld.
extern "C" const std::uint8_t image_start[], text_end[], constants_end[], image_end[];

namespace {

constexpr std::uint64_t present = 1, writable = 2, uncached = 0x18, large = 0x80, no_execute = 1ull << 63;
constexpr std::uint64_t gigabyte = 1ull << 30, covered_gigabytes = 512;
constexpr std::uint64_t address_mask = 0x000ffffffffff000;
constexpr std::uint32_t msr_efer = 0xC0000080;
constexpr std::uint64_t efer_nxe = 1 << 11;
constexpr std::uint64_t cr0_pe_mp_et_ne_wp_pg = 0x80010033;
constexpr std::uint64_t cr4_pse_pae_pge_osfxsr_osxmm = 0x6B0, cr4_osxsave = 1 << 18, cr4_smep = 1 << 20,
                        cr4_smap = 1 << 21;

using Table = std::uint64_t*;
HostPhys root;
Table first_2m; // 4 KiB pages

class Builder {
public:
    Builder(mm::TcbMemory& memory, std::span<const launch::MemoryRange> ranges)
        : memory_{memory}, ranges_{ranges} {}

    Table new_table() {
        const auto page = memory_.allocate_table();
        ok_ = ok_ && page.has_value();
        return page ? reinterpret_cast<Table>(page->value) : scratch_;
    }
    [[nodiscard]] bool ok() const { return ok_; }

    void map_identity(Table top) {
        const Table gigabytes = new_table();
        top[0] = link(gigabytes);
        for (std::uint64_t i = 0; i < covered_gigabytes; ++i)
            gigabytes[i] = has_ram(i * gigabyte, gigabyte) ? link(map_gigabyte(i * gigabyte))
                                                           : i * gigabyte | leaf(uncached | large);
    }

    void map_image(Table top, HostPhys image) {
        const Table gigabytes = new_table(), megabytes = new_table();
        top[511] = link(gigabytes);
        gigabytes[510] = link(megabytes);
        Table pages = scratch_;
        for (const std::uint8_t* at = image_start; at < image_end; at += page_size) {
            const std::uint64_t offset = static_cast<std::uint64_t>(at - image_start);
            if (offset % large_page_size == 0)
                megabytes[offset / large_page_size] = link(pages = new_table());
            pages[offset / page_size % 512] = (image + offset).value | rights(at);
        }
    }

private:
    static constexpr std::uint64_t leaf(std::uint64_t flags) {
        return present | writable | no_execute | flags;
    }
    static std::uint64_t link(Table table) {
        return reinterpret_cast<std::uint64_t>(table) | present | writable;
    }
    static std::uint64_t rights(const std::uint8_t* at) {
        if (at < text_end) return present;
        return at < constants_end ? present | no_execute : leaf(0);
    }

    [[nodiscard]] bool has_ram(std::uint64_t base, std::uint64_t size) const {
        return std::any_of(ranges_.begin(), ranges_.end(), [&](const launch::MemoryRange& range) {
            return range.kind == launch::MemoryKind::usable && range.bytes.base < base + size &&
                   base < range.bytes.base + range.bytes.size;
        });
    }
    Table map_gigabyte(std::uint64_t base) {
        const Table table = new_table();
        for (std::uint64_t i = 0, at = base; i < 512; ++i, at += large_page_size)
            table[i] = at | leaf(large | (has_ram(at, large_page_size) ? 0 : uncached));
        if (base == 0) table[0] = link(map_first_2m());
        return table;
    }
    Table map_first_2m() {
        first_2m = new_table();
        for (std::uint64_t at = page_size; at < large_page_size; at += page_size)
            first_2m[at / page_size] = at | leaf(0);
        return first_2m;
    }

    mm::TcbMemory& memory_;
    std::span<const launch::MemoryRange> ranges_;
    bool ok_ = true;
    std::uint64_t scratch_[512]{}; // takes the entries when memory ran out; the tables are never used then
};

} // namespace

std::optional<HostPhys> build_page_tables(mm::TcbMemory& memory, HostPhys image,
                                          std::span<const launch::MemoryRange> ranges) {
    Builder builder{memory, ranges};
    const Table top = builder.new_table();
    builder.map_identity(top);
    builder.map_image(top, image);
    if (!builder.ok()) return std::nullopt;
    root = HostPhys{reinterpret_cast<std::uint64_t>(top)};
    return root;
}

/// SMEP and SMAP as the processor has them. A Linux guest sets the same: where the two differ, TCG flushes its TLB once
/// more at each change of world.
void load_page_tables(HostPhys tables) {
    write_msr(msr_efer, read_msr(msr_efer) | efer_nxe);
    const bool has_xsave = (cpuid(1).ecx & 1 << 26) != 0;
    const std::uint32_t features = cpuid(7).ebx;
    write_cr4(cr4_pse_pae_pge_osfxsr_osxmm | (has_xsave ? cr4_osxsave : 0) |
              ((features & 1 << 7) != 0 ? cr4_smep : 0) | ((features & 1 << 20) != 0 ? cr4_smap : 0));
    write_cr3(tables.value);
    write_cr0(cr0_pe_mp_et_ne_wp_pg);
}

HostPhys page_table_root() { return root; }

void make_executable(HostPhys page) {
    first_2m[page.value / page_size] = (page.value & address_mask) | present;
    write_cr3(root.value);
}

} // namespace casemate::arch
