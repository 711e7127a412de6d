// SPDX-License-Identifier: Apache-2.0
// Frame ownership, the shared nested page table (on a recording memory), permission maps, the guest table walk.
#include "hypervisor/mm/frame_table.hpp"
#include "hypervisor/mm/guest_walk.hpp"
#include "hypervisor/mm/nested_page_table.hpp"
#include "hypervisor/mm/permission_maps.hpp"
#include "hypervisor/mm/ram_copy.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <memory>
#include <numeric>
#include <vector>

using namespace casemate;
using namespace casemate::mm;

namespace {

constexpr std::uint64_t mib = 1 << 20;

std::unique_ptr<FrameTable> table_with(std::vector<HostRange> usable) {
    auto table = std::make_unique<FrameTable>();
    table->add_usable(usable);
    return table;
}

/// Table pages by their address; gives out `budget` of them.
struct RecordingTables {
    std::map<std::uint64_t, std::uint64_t> words;
    unsigned budget = 100;
    std::uint64_t next = 0x1000'0000;

    std::optional<HostPhys> allocate_table() {
        if (budget == 0) return std::nullopt;
        --budget;
        return HostPhys{std::exchange(next, next + page_size)};
    }
    std::uint64_t load(HostPhys entry) const {
        const auto found = words.find(entry.value);
        return found == words.end() ? 0 : found->second;
    }
    void store(HostPhys entry, std::uint64_t value) { words[entry.value] = value; }
};
using Table = NestedPageTable<RecordingTables>;

constexpr FrameOwner owner = vm_owner(0);
const HostRange ram{HostPhys{64 * mib}, 16 * mib};
const HostRange bar{HostPhys{0xE000'0000}, 0x4000};

struct Fixture {
    std::unique_ptr<FrameTable> frames = table_with({{HostPhys{0}, 128 * mib}});
    RecordingTables tables;
    Fixture() { frames->claim(ram, owner); }
    Table create() { return Table::create(tables, *frames, owner).value(); }
};

/// What AMD-Vi finds for an I/O virtual address: every level must grant the right [AMDVI 2.2.3].
bool device_may_write(const RecordingTables& tables, HostPhys root, std::uint64_t address) {
    std::uint64_t table = root.value;
    for (unsigned level = 4; level >= 1; --level) {
        const std::uint64_t value =
            tables.load(HostPhys{table + 8 * (address >> (12 + 9 * (level - 1)) & 511)});
        if ((value & entry::present) == 0 || (value & entry::io_write) == 0) return false;
        const std::uint64_t next = value >> 9 & 7;
        if (next == 0) return true;
        if (next != level - 1) return false;
        table = value & entry::address_mask;
    }
    return false;
}

} // namespace

TEST_CASE("frames that are only partly usable are never handed out", "[mm]") {
    const auto table = table_with({{HostPhys{1 * mib}, 5 * mib}});
    CHECK(table->bytes_of(FrameOwner::free) == 4 * mib);
    CHECK(table->allocate(6 * mib, owner).ok() == false);
    const auto got = table->allocate(4 * mib, owner);
    REQUIRE(got.ok());
    CHECK(got.value().base == HostPhys{2 * mib});
}

TEST_CASE("usable ranges that touch inside a frame make it whole", "[mm]") {
    const auto table = table_with({{HostPhys{0}, 3 * mib}, {HostPhys{3 * mib}, 1 * mib}});
    CHECK(table->bytes_of(FrameOwner::free) == 4 * mib);
}

TEST_CASE("a frame is never allocated twice", "[mm]") {
    const auto table = table_with({{HostPhys{0}, 8 * mib}});
    const HostRange first = table->allocate(4 * mib, vm_owner(0)).value();
    const HostRange second = table->allocate(4 * mib, vm_owner(1)).value();
    CHECK_FALSE(first.overlaps(second));
    CHECK_FALSE(table->allocate(2 * mib, vm_owner(2)).ok());
    CHECK(table->owns(vm_owner(0), first));
    CHECK_FALSE(table->owns(vm_owner(0), second));
    table->release(first, vm_owner(0));
    CHECK(table->allocate(4 * mib, vm_owner(2)).value().base == first.base);
}

TEST_CASE("an allocation that is not whole frames is refused", "[mm]") {
    const auto table = table_with({{HostPhys{0}, 8 * mib}});
    CHECK_FALSE(table->allocate(0, owner).ok());
    CHECK_FALSE(table->allocate(2 * mib + page_size, owner).ok());
    CHECK_FALSE(table->allocate(~0ull << 21, owner).ok());
}

TEST_CASE("only memory that was never RAM and no platform register counts as device memory", "[mm]") {
    const auto table = table_with({{HostPhys{0}, 128 * mib}});
    table->claim({HostPhys{4 * mib}, mib}, FrameOwner::tcb);
    CHECK(table->is_device_memory(bar));
    CHECK_FALSE(table->is_device_memory({HostPhys{4 * mib}, page_size}));
    CHECK_FALSE(table->is_device_memory({HostPhys{64 * mib}, page_size}));
    CHECK_FALSE(table->is_device_memory({HostPhys{127 * mib}, 4 * mib}));
    for (const std::uint64_t reg : {0xFEC00000, 0xFED00000, 0xFED40000, 0xFED80000, 0xFEE00000, 0xFEEFF000})
        CHECK_FALSE(table->is_device_memory({HostPhys{reg}, page_size}));
    CHECK_FALSE(table->is_device_memory({HostPhys{~0ull - page_size + 1}, page_size}));
    CHECK_FALSE(table->is_device_memory({HostPhys{0xE000'0000}, 0}));
    CHECK(table->is_device_memory({HostPhys{0xE0'0000'0000}, 0x4000})); // above what has frames: a 64-bit BAR
    CHECK_FALSE(table->is_device_memory({HostPhys{(1ull << 52) - page_size}, 2 * page_size}));
    const auto large = table_with({{HostPhys{0}, 128 * mib}, {HostPhys{1ull << 32}, 1ull << 40}});
    CHECK_FALSE(large->is_device_memory({HostPhys{0xE0'0000'0000}, 0x4000}));
}

TEST_CASE("RAM is mapped by 2 MiB leaves for processor and devices alike", "[mm]") {
    Fixture f;
    Table table = f.create();
    REQUIRE(table.map_ram(GuestPhys{0}, ram).ok());
    CHECK(table.translate(GuestPhys{5 * mib + 12}) == ram.base + 5 * mib + 12);
    CHECK_FALSE(table.translate(GuestPhys{16 * mib}));
    CHECK(f.tables.budget == 100 - 3); // root, level 3, level 2
    CHECK(device_may_write(f.tables, table.root(), 5 * mib));
    CHECK_FALSE(device_may_write(f.tables, table.root(), 16 * mib));
}

TEST_CASE("frames of others cannot be mapped", "[mm]") {
    Fixture f;
    f.frames->claim({HostPhys{32 * mib}, 2 * mib}, vm_owner(1));
    Table table = f.create();
    CHECK(table.map_ram(GuestPhys{0}, {HostPhys{32 * mib}, 2 * mib}).error() == MapError::not_owned);
    CHECK(table.map_ram(GuestPhys{0}, {HostPhys{62 * mib}, 4 * mib}).error() == MapError::not_owned);
    CHECK(table.map_ram(GuestPhys{0}, bar).error() == MapError::not_owned);
    CHECK(table.map_device(GuestPhys{0}, ram, Access::read_write).error() == MapError::not_device_memory);
    CHECK(f.tables.words.empty());
}

TEST_CASE("no device reaches a BAR or a window that is mapped for the processor", "[mm]") {
    Fixture f;
    Table table = f.create();
    REQUIRE(table.map_device(GuestPhys{0xC000'0000}, bar, Access::read_write).ok());
    REQUIRE(table.map_window(GuestPhys{0xD000'0000}, {ram.base, page_size}, Access::read_only).ok());
    CHECK(table.translate(GuestPhys{0xC000'3000}) == bar.base + 0x3000);
    CHECK_FALSE(device_may_write(f.tables, table.root(), 0xC000'0000));
    CHECK_FALSE(device_may_write(f.tables, table.root(), 0xD000'0000));
}

TEST_CASE("device memory is uncached, and nothing but RAM is executable", "[mm]") {
    Fixture f;
    Table table = f.create();
    REQUIRE(table.map_device(GuestPhys{0xC000'0000}, {bar.base, page_size}, Access::read_write).ok());
    bool found = false;
    for (const auto& [address, value] : f.tables.words) {
        if ((value & entry::address_mask) != bar.base.value) continue;
        found = true;
        CHECK((value & entry::no_execute) != 0);
        CHECK((value & entry::uncached) != 0);
    }
    CHECK(found);
}

TEST_CASE("a guest address is mapped once; unmapping frees it", "[mm]") {
    Fixture f;
    Table table = f.create();
    REQUIRE(table.map_ram(GuestPhys{0}, ram).ok());
    CHECK(table.map_ram(GuestPhys{0}, ram).error() == MapError::already_mapped);
    CHECK(table.map_device(GuestPhys{0x3000}, bar, Access::read_write).error() == MapError::already_mapped);
    table.unmap(GuestPhys{2 * mib}, 2 * mib);
    CHECK_FALSE(table.translate(GuestPhys{2 * mib}));
    CHECK_FALSE(device_may_write(f.tables, table.root(), 2 * mib));
    CHECK(table.translate(GuestPhys{4 * mib}));
    CHECK(table.map_device(GuestPhys{2 * mib}, bar, Access::read_write).ok());
}

TEST_CASE("bad alignment, a range beyond the guest's space and exhausted tables are errors", "[mm]") {
    Fixture f;
    Table table = f.create();
    CHECK(table.map_ram(GuestPhys{1}, ram).error() == MapError::alignment);
    CHECK(table.map_ram(GuestPhys{1ull << 48}, ram).error() == MapError::range);
    CHECK(table.map_ram(GuestPhys{(1ull << 48) - mib}, ram).error() == MapError::range);
    f.tables.budget = 1;
    CHECK(table.map_ram(GuestPhys{0}, ram).error() == MapError::out_of_tables);
}

TEST_CASE("permission maps intercept everything but what is opened", "[mm]") {
    auto ports = std::make_unique<IoPermissionMap>();
    ports->intercept_all();
    ports->allow(0x2F8, 8);
    ports->allow(0xfffe, 8); // clipped at the end of the port space
    CHECK(ports->intercepted(0x2F7));
    CHECK_FALSE(ports->intercepted(0x2F8));
    CHECK_FALSE(ports->intercepted(0x2FF));
    CHECK(ports->intercepted(0x300));
    ports->intercept(0x2F8, 8);
    CHECK(ports->intercepted(0x2F8));

    auto msrs = std::make_unique<MsrPermissionMap>();
    msrs->intercept_all();
    msrs->allow_read_write(0xC0000102);
    msrs->allow_read_write(0x4b564d00); // not covered: stays intercepted, nothing else changes
    const std::size_t bit = MsrPermissionMap::first_bit(0xC0000102).value();
    CHECK(bit == 0x4000 + 2 * 0x102);
    CHECK((msrs->bytes[bit / 8] >> (bit % 8) & 3) == 0);
    CHECK_FALSE(MsrPermissionMap::first_bit(0x2000));
    CHECK_FALSE(MsrPermissionMap::first_bit(0xC0012000));
}

TEST_CASE("the walk of a guest's tables stays inside the guest's memory", "[mm]") {
    std::vector<std::uint8_t> bytes(64 * page_size);
    const GuestMemory memory{bytes};
    const auto put = [&](std::uint64_t at, std::uint64_t value) {
        REQUIRE(memory.write(GuestPhys{at}, value));
    };
    put(0x1000, 0x2003);                                  // level 4
    put(0x2000, 0x3003);                                  // level 3
    put(0x3000, 0x83);                                    // 2 MiB leaf at 0
    put(0x3008, 0x4003);                                  // level 1 for 2 MiB ..
    put(0x4000, 0x5003);                                  // 4 KiB leaf
    put(0x1008, 0x7fff'ffff'f003 & ~0x7000'0000'0000ull); // a table outside the memory
    CHECK(walk_guest_tables(memory, 0x1000, 0x1234) == GuestPhys{0x1234});
    CHECK(walk_guest_tables(memory, 0x1000, 0x200010) == GuestPhys{0x5010});
    CHECK_FALSE(walk_guest_tables(memory, 0x1000, 0x400000));
    CHECK_FALSE(walk_guest_tables(memory, 0x1000, 1ull << 39));
    CHECK_FALSE(walk_guest_tables(memory, 0x000f'ffff'ffff'f000, 0));

    bytes[0x5ffe] = 0xAA;
    std::uint8_t out[4] = {};
    CHECK(read_guest_virtual(memory, 0x1000, 0x200ffe, out) == 2); // the next page is not mapped
    CHECK(out[0] == 0xAA);
}

TEST_CASE("guest memory refuses every access that is not wholly inside", "[mm]") {
    std::vector<std::uint8_t> bytes(2 * page_size);
    const GuestMemory memory{bytes};
    CHECK(memory.bytes(GuestPhys{2 * page_size - 4}, 4).size() == 4);
    CHECK(memory.bytes(GuestPhys{2 * page_size - 4}, 5).empty());
    CHECK(memory.bytes(GuestPhys{~0ull}, 8).empty());
    CHECK(memory.bytes(GuestPhys{8}, ~0ull - 4).empty());
    CHECK_FALSE(memory.read<std::uint64_t>(GuestPhys{2 * page_size - 7}));
    CHECK_FALSE(memory.write(GuestPhys{2 * page_size - 7}, std::uint64_t{1}));
}

namespace {

/// RAM of some pages, of which every third holds nothing, and room for its copy.
struct Copied {
    static constexpr std::uint64_t pages = 130; // more than two words of bits
    Copied() {
        for (std::uint64_t page = 0; page < pages; ++page)
            if (page % 3 != 0) ram[page * page_size + page] = static_cast<std::uint8_t>(page);
    }
    void save() {
        for (std::uint64_t page = 0; page < copy.page_count(); ++page) copy.save(page, ram);
    }
    void restore() {
        for (std::uint64_t page = 0; page < copy.page_count(); ++page) copy.restore(page, ram);
    }
    std::vector<std::uint8_t> ram = std::vector<std::uint8_t>(pages * page_size), store = ram;
    std::vector<std::uint64_t> kept = std::vector<std::uint64_t>(RamCopy::words_for(pages * page_size));
    RamCopy copy{store, kept};
};

} // namespace

TEST_CASE("a copy of RAM puts back every byte, whatever became of it", "[mm]") {
    Copied f;
    REQUIRE(f.copy.page_count() == Copied::pages);
    f.save();
    const auto before = f.ram;
    std::iota(f.ram.begin(), f.ram.end(), std::uint8_t{1});
    f.restore();
    CHECK(f.ram == before);
    f.ram.back() = 1;
    f.ram[page_size] ^= 0x80;
    f.restore();
    CHECK(f.ram == before);
}

TEST_CASE("pages of zeros are not kept, and a second copy forgets the first", "[mm]") {
    Copied f;
    f.save();
    CHECK(f.copy.kept(0).empty());
    CHECK(f.copy.kept(1).size() == page_size);
    CHECK(f.copy.kept(127).size() == page_size);
    CHECK(f.copy.kept(129).empty());
    f.ram[0] = 1;
    f.ram[page_size + 1] = 0;
    f.save();
    CHECK(f.copy.kept(0).size() == page_size);
    CHECK(f.copy.kept(1).empty());
}
