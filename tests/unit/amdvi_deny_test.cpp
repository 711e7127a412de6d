// SPDX-License-Identifier: Apache-2.0
// Denying everything, in two stages, against a model that records what the IOMMU is told and when.
#include "hypervisor/hw/amdvi_deny.hpp"
#include "hypervisor/hw/amdvi_registers.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <vector>

using namespace casemate;
using namespace casemate::hw;

namespace {

struct StepClock final : Clock {
    mutable std::uint64_t time = 0;
    Micros now() const override { return {time += 10}; }
};

/// Memory of one stage at made-up physical addresses.
struct StageMemory {
    explicit StageMemory(std::size_t entries, std::uint64_t at) : table(entries), ring(256), base{at} {}
    std::vector<DeviceTableEntry> table;
    std::vector<IommuCommand> ring;
    std::uint64_t completion = 0;
    std::uint64_t base;

    DenyTables tables() { return {table, {base}, ring, {base + 0x400000}, &completion, {base + 0x500000}}; }
    bool denied() const {
        return std::all_of(table.begin(), table.end(), [](const auto& e) { return e == deny_entry(); });
    }
};

struct ModelIommu final : RegisterBlock {
    std::map<std::uint64_t, std::uint64_t> registers{{0x00, 0}, {0x08, 0}, {0x18, 1}, {0x30, 0x29d3}, {0x2000, 0}, {0x2008, 0}};
    std::vector<StageMemory*> memory;
    std::vector<std::string> log;
    bool answers = true, keeps = true;

    std::uint64_t read64(std::uint64_t offset) const override { return registers.at(offset); }
    void write64(std::uint64_t offset, std::uint64_t value) override {
        if (!keeps) return;
        registers.at(offset) = value;
        if (offset == amdvi::device_table_base) table_written(value);
        if (offset == amdvi::control) log.push_back(value & amdvi::iommu_en ? value & amdvi::cmd_buf_en ? "on" : "ring off" : "off");
        if (offset == amdvi::command_tail && value != 0) run(value / 16);
    }

private:
    void table_written(std::uint64_t value) {
        for (StageMemory* m : memory)
            if (m->base == (value & ~0xfffull)) {
                REQUIRE((value & 0x1ff) == m->table.size() * 32 / 4096 - 1);
                log.push_back(m->denied() ? "denying table" : "open table");
            }
    }
    void run(std::uint64_t tail) {
        std::uint64_t& head = registers.at(amdvi::command_head);
        for (StageMemory* m : memory) {
            if (m->base + 0x400000 != (registers.at(amdvi::command_base) & 0x000ffffffffff000)) continue;
            for (; head / 16 < tail; head += 16) {
                const IommuCommand c = m->ring[head / 16];
                log.push_back("command " + std::to_string(command::opcode(c)));
                if (command::opcode(c) == 1 && answers) m->completion = c.word[1];
            }
        }
    }
};

struct Bench {
    StageMemory small{128, 0x10000000}, full{device_table_entries, 0x20000000};
    ModelIommu iommu;
    StepClock clock;
    Bench() { iommu.memory = {&small, &full}; }
};

using Log = std::vector<std::string>;

} // namespace

TEST_CASE("the fence switches the IOMMU off, gives it a denying table, and drops all that it cached") {
    Bench bench;
    REQUIRE(fence(bench.iommu, bench.clock, bench.small.tables()).ok());
    CHECK(bench.iommu.log == Log{"off", "denying table", "on", "command 8", "command 1"});
    CHECK(bench.small.denied());
}

TEST_CASE("the full table takes over while the fence stands: translation is never off") {
    Bench bench;
    REQUIRE(fence(bench.iommu, bench.clock, bench.small.tables()).ok());
    bench.iommu.log.clear();
    REQUIRE(switch_tables(bench.iommu, bench.clock, bench.small.tables(), bench.full.tables()).ok());
    CHECK(bench.iommu.log ==
          Log{"denying table", "command 8", "command 1", "ring off", "on", "command 8", "command 1"});
    CHECK(bench.full.denied());
    CHECK((bench.iommu.registers[0] & 0x1ff) == 0x1ff);
    CHECK(bench.iommu.registers[8] >> 56 == 8);
}

TEST_CASE("a deny entry is valid and permits neither DMA nor interrupts") {
    Bench bench;
    fill_deny(bench.small.table);
    for (const DeviceTableEntry& entry : bench.small.table) {
        CHECK((entry.word[0] & 3) == 3);              // V, TV: an all-zero entry would let everything pass
        CHECK((entry.word[0] >> 61 & 3) == 0);        // IR, IW
        CHECK((entry.word[2] & 1) == 1);              // IV
        CHECK((entry.word[2] >> 60 & 3) == 0);        // IntCtl: abort
    }
}

TEST_CASE("an IOMMU that does not answer, does not keep its registers or cannot invalidate all is refused") {
    Bench silent;
    silent.iommu.answers = false;
    CHECK(fence(silent.iommu, silent.clock, silent.small.tables()).error() == DenyError::stuck);
    Bench forgetful;
    forgetful.iommu.keeps = false;
    CHECK(fence(forgetful.iommu, forgetful.clock, forgetful.small.tables()).error() == DenyError::not_kept);
    Bench old;
    old.iommu.registers[0x30] = 0;
    CHECK(fence(old.iommu, old.clock, old.small.tables()).error() == DenyError::no_invalidate_all);
    CHECK(old.iommu.log.empty());
}
