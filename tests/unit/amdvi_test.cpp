// SPDX-License-Identifier: Apache-2.0
// The AMD-Vi back end against a model of the IOMMU that runs its command ring at each write of the tail.
#include "hypervisor/hw/amdvi.hpp"
#include "hypervisor/hw/amdvi_interrupts.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <memory>
#include <vector>

using namespace casemate;
using namespace casemate::hw;

namespace {

struct StepClock final : Clock {
    mutable std::uint64_t time = 0;
    Micros now() const override { return {time += 10}; }
};

struct ModelIommu final : RegisterBlock {
    std::vector<DeviceTableEntry> table = std::vector<DeviceTableEntry>(device_table_entries, deny_entry());
    std::vector<IommuCommand> ring = std::vector<IommuCommand>(256);
    std::uint64_t completion = 0;
    std::uint64_t head = 0;
    bool answers = true;
    std::map<std::uint64_t, std::uint64_t> registers{
        {0x00, 0x10000000 | 0x1ff}, {0x08, 0x20000000 | 8ull << 56}, {0x18, 1 | 1 << 12}, {0x2008, 0}};
    std::vector<IommuCommand> executed;

    std::uint64_t read64(std::uint64_t offset) const override { return registers.at(offset); }
    void write64(std::uint64_t offset, std::uint64_t value) override {
        registers.at(offset) = value;
        if (offset != 0x2008 || !answers)
            return;
        for (; head != value / 16; head = (head + 1) % ring.size()) {
            const IommuCommand c = ring[head];
            executed.push_back(c);
            if (command::opcode(c) == 1 && (c.word[0] & 0x000ffffffffffff8) == 0x30000000)
                completion = c.word[1];
        }
    }
    IommuMemory memory() {
        return {.table = table,
                .table_at = {0x10000000},
                .ring = ring,
                .ring_at = {0x20000000},
                .completion = &completion,
                .completion_at = {0x30000000}};
    }
    std::vector<unsigned> opcodes() const {
        std::vector<unsigned> list;
        for (const auto& c : executed)
            list.push_back(command::opcode(c));
        return list;
    }
};

constexpr DeviceAccess net_access{.page_table = {0x12345000},
                                  .levels = 4,
                                  .domain = {7},
                                  .interrupt_table = {0x6789a000},
                                  .interrupt_table_log2 = 11};
constexpr RequesterId net{0x18};

struct Fixture {
    ModelIommu model;
    StepClock clock;
    AmdVi iommu = *std::make_unique<AmdVi>(AmdVi::adopt(model, clock, model.memory()).value());
    Fixture() { model.executed.clear(); }
};

} // namespace

TEST_CASE("a denied requester has a valid entry without any permission", "[amdvi]") {
    const DeviceTableEntry deny = deny_entry();
    CHECK(deny.word == std::array<std::uint64_t, 4>{3, 0, 1, 0});
}

TEST_CASE("an access entry has the fields where the specification puts them", "[amdvi]") {
    const DeviceTableEntry entry = access_entry(net_access);
    CHECK(entry.word[0] == 0x6000000012345803);
    CHECK(entry.word[1] == 7);
    CHECK(entry.word[2] == (0x2000000000000000 | 0x6789a000 | 11 << 1 | 1));
    CHECK(entry.word[3] == 0);
    const DeviceTableEntry interrupts = interrupt_only_entry({0x6789a000}, 11);
    CHECK(interrupts.word[0] == 3);
    CHECK(interrupts.word[2] == entry.word[2]);
}

TEST_CASE("publish writes the word that permits DMA last and retract writes it first", "[amdvi]") {
    DeviceTableEntry live = deny_entry();
    std::vector<std::ptrdiff_t> order;
    const auto record = [&](std::uint64_t& word, std::uint64_t value) {
        order.push_back(&word - live.word.data());
        word = value;
    };
    publish(live, access_entry(net_access), record);
    CHECK(order == std::vector<std::ptrdiff_t>{3, 2, 1, 0});
    CHECK(live == access_entry(net_access));
    order.clear();
    retract(live, record);
    CHECK(order == std::vector<std::ptrdiff_t>{0, 2, 1, 3});
    CHECK(live == deny_entry());
}

TEST_CASE("the IOMMU is adopted only in the state that the SLB leaves", "[amdvi]") {
    StepClock clock;
    const auto refused = [&](auto&& spoil) {
        ModelIommu model;
        spoil(model);
        const auto result = AmdVi::adopt(model, clock, model.memory());
        REQUIRE_FALSE(result.ok());
        return result.error();
    };
    CHECK(refused([](ModelIommu& m) { m.registers[0x18] = 1 << 12; }) == IommuError::disabled);
    CHECK(refused([](ModelIommu& m) { m.registers[0x18] = 1; }) == IommuError::disabled);
    CHECK(refused([](ModelIommu& m) { m.registers[0x18] |= 1 << 17; }) == IommuError::foreign_tables);
    CHECK(refused([](ModelIommu& m) { m.registers[0x00] = 0x10001000 | 0x1ff; }) ==
          IommuError::foreign_tables);
    CHECK(refused([](ModelIommu& m) { m.registers[0x00] = 0x10000000 | 0x1fe; }) ==
          IommuError::foreign_tables);
    CHECK(refused([](ModelIommu& m) { m.registers[0x08] = 0x20000000 | 9ull << 56; }) ==
          IommuError::foreign_tables);
    CHECK(refused([](ModelIommu& m) { m.table[65535] = {}; }) == IommuError::not_denied);
    CHECK(refused([](ModelIommu& m) { m.answers = false; }) == IommuError::stuck);
}

TEST_CASE("attach invalidates entry, pages and interrupts of the requester, then waits", "[amdvi]") {
    Fixture f;
    REQUIRE(f.iommu.attach(net, net_access).ok());
    CHECK(f.model.table[net.value] == access_entry(net_access));
    REQUIRE(f.model.opcodes() == std::vector<unsigned>{2, 3, 5, 1});
    CHECK(f.model.executed[0].word[0] == (0x18 | 2ull << 60));
    CHECK(f.model.executed[1].word[0] == (7ull << 32 | 3ull << 60));
    CHECK(f.model.executed[1].word[1] == 0x7ffffffffffff003);
    CHECK(f.model.executed[2].word[0] == (0x18 | 5ull << 60));
}

TEST_CASE("detach denies at once and invalidates with the old domain", "[amdvi]") {
    Fixture f;
    REQUIRE(f.iommu.attach(net, net_access).ok());
    f.model.executed.clear();
    REQUIRE(f.iommu.detach(net, {7}).ok());
    CHECK(f.model.table[net.value] == deny_entry());
    CHECK(f.model.opcodes() == std::vector<unsigned>{2, 3, 5, 1});
    CHECK(f.model.executed[1].word[0] == (7ull << 32 | 3ull << 60));
}

TEST_CASE("the ring wraps without losing a command", "[amdvi]") {
    Fixture f;
    for (int i = 0; i < 300; ++i) {
        REQUIRE(f.iommu.attach(net, net_access).ok());
        REQUIRE(f.iommu.detach(net, {7}).ok());
        REQUIRE(f.iommu.flush({7}).ok());
    }
    CHECK(f.model.executed.size() == 300 * (4 + 4 + 2));
    CHECK(f.model.registers[0x2008] < 256 * 16);
}

TEST_CASE("a wait that is never stored is an error, not a hang", "[amdvi]") {
    Fixture f;
    f.model.answers = false;
    const auto result = f.iommu.attach(net, net_access);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error() == IommuError::stuck);
}

TEST_CASE("an interrupt table admits the vectors of its window only, on one core", "[amdvi]") {
    const auto table = std::make_unique<InterruptTable>();
    table->open({.guest_first = 0x30, .host_first = 0x50, .count = 0x20, .apic_id = 3});
    CHECK(table->entry(0x2f) == 0);
    CHECK(table->entry(0x30) == (0x50u << 16 | 3u << 8 | 1));
    CHECK(table->entry(0x4f) == (0x6fu << 16 | 3u << 8 | 1));
    CHECK(table->entry(0x50) == 0);
    CHECK(table->entry(0x130) == 0); // lowest-priority delivery mode selects another entry
    table->close();
    for (std::size_t i = 0; i < 2048; ++i)
        REQUIRE(table->entry(i) == 0);
}
