// SPDX-License-Identifier: Apache-2.0
// A VM's APICs: its local one and its I/O APIC.
#include "hypervisor/devices/local_apic.hpp"
#include "tests/unit/recording_host.hpp"

#include <catch2/catch.hpp>

using namespace casemate;
using namespace casemate::devices;

namespace {

struct ApicFixture {
    std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(4 * page_size);
    mm::GuestMemory memory{bytes};
    RecordingHost host;
    IoApic io_apic{host};
    LocalApic apic;
    ApicFixture() { apic.reset(memory, io_apic); }
    bool write(std::uint32_t number, std::uint64_t value) { return apic.write_msr(0x800 + number, value); }
    std::uint64_t read(std::uint32_t number) { return apic.read_msr(0x800 + number).value(); }
    void set_deadline_timer(std::uint8_t vector) { REQUIRE(write(0x32, std::uint32_t{2} << 17 | vector)); }
};

} // namespace

TEST_CASE("an interrupt waits for those of its class or above to end", "[apic]") {
    ApicFixture f;
    f.apic.set_pending(0x41);
    CHECK(f.apic.deliverable() == 0x41);
    f.apic.accept(0x41);
    f.apic.set_pending(0x45);
    f.apic.set_pending(0x31);
    CHECK_FALSE(f.apic.deliverable());
    f.apic.set_pending(0x52);
    CHECK(f.apic.deliverable() == 0x52);
    f.apic.accept(0x52);
    f.apic.end_of_interrupt(); // 52
    f.apic.end_of_interrupt(); // 41
    CHECK(f.apic.deliverable() == 0x45);
}

TEST_CASE("an interrupt is in progress from its arrival to its end", "[apic]") {
    ApicFixture f;
    CHECK_FALSE(f.apic.in_progress(0x41));
    f.apic.set_pending(0x41);
    CHECK(f.apic.in_progress(0x41));
    f.apic.accept(0x41);
    CHECK(f.apic.in_progress(0x41));
    CHECK_FALSE(f.apic.in_progress(0x61));
    f.apic.set_pending(0x41); // once more while it is served
    f.apic.end_of_interrupt();
    CHECK(f.apic.in_progress(0x41));
    f.apic.accept(0x41);
    f.apic.end_of_interrupt();
    CHECK_FALSE(f.apic.in_progress(0x41));
}

TEST_CASE("the task priority holds back its class and those below", "[apic]") {
    ApicFixture f;
    f.apic.set_pending(0x35);
    f.apic.set_task_priority(0x30);
    CHECK_FALSE(f.apic.deliverable());
    f.apic.set_task_priority(0x20);
    CHECK(f.apic.deliverable() == 0x35);
}

TEST_CASE("the deadline timer fires once, not before its time, and only if unmasked", "[apic]") {
    ApicFixture f;
    f.set_deadline_timer(0xEC);
    REQUIRE(f.apic.write_msr(0x6E0, 1000));
    f.apic.expire(999);
    CHECK_FALSE(f.apic.deliverable());
    f.apic.expire(1000);
    CHECK(f.apic.deliverable() == 0xEC);
    CHECK(f.apic.deadline() == 0);
    f.apic.accept(0xEC);
    f.apic.end_of_interrupt();
    f.apic.expire(5000);
    CHECK_FALSE(f.apic.deliverable());
    REQUIRE(f.write(0x32, std::uint32_t{2} << 17 | 1 << 16 | 0xEC));
    REQUIRE(f.apic.write_msr(0x6E0, 6000));
    f.apic.expire(6000);
    CHECK_FALSE(f.apic.deliverable());
}

TEST_CASE("a timer that is put off by a snapshot fires as long after as it would have", "[apic]") {
    ApicFixture f;
    f.set_deadline_timer(0xEC);
    REQUIRE(f.apic.write_msr(0x6E0, 1000));
    const std::uint64_t offset = 900 - std::uint64_t{50'000}; // made at 900, goes on at 50,000
    f.apic.shift_time(offset);
    CHECK(f.apic.deadline() == 50'100);
    CHECK(f.apic.read_msr(0x6E0) == 1000);
    f.apic.expire(50'099);
    CHECK_FALSE(f.apic.deliverable());
    f.apic.expire(50'100);
    CHECK(f.apic.deliverable() == 0xEC);
    REQUIRE(f.apic.write_msr(0x6E0, 1500)); // by the guest's own count
    CHECK(f.apic.deadline() == 50'600);
    REQUIRE(f.apic.write_msr(0x6E0, 0));
    CHECK(f.apic.deadline() == 0);
    f.apic.shift_time(7);
    CHECK(f.apic.deadline() == 0); // off stays off
}

TEST_CASE("interrupt commands reach this processor or nobody", "[apic]") {
    ApicFixture f;
    REQUIRE(f.write(0x30, 0x45)); // fixed, physical id 0
    CHECK(f.apic.deliverable() == 0x45);
    f.apic.accept(0x45);
    f.apic.end_of_interrupt();
    REQUIRE(f.write(0x30, std::uint64_t{7} << 32 | 0x45)); // another id
    REQUIRE(f.write(0x30, 3u << 18 | 0x45));               // all others
    REQUIRE(f.write(0x30, 5u << 8 | 0x45));                // INIT
    REQUIRE(f.write(0x30, 4u << 8));                       // NMI
    REQUIRE(f.write(0x30, 0x05));                          // a vector below 16
    CHECK_FALSE(f.apic.deliverable());
    REQUIRE(f.write(0x3F, 0x61)); // self IPI
    CHECK(f.apic.deliverable() == 0x61);
}

TEST_CASE("registers that do not exist and values that do not fit are refused", "[apic]") {
    ApicFixture f;
    CHECK_FALSE(f.apic.read_msr(0x800 + 0x40));
    CHECK_FALSE(f.apic.read_msr(0x800));
    CHECK_FALSE(f.write(0x02, 5)); // the id is fixed
    CHECK_FALSE(f.write(0x08, 1ull << 32));
    CHECK_FALSE(f.apic.write_msr(0x1B, 0xFED40D00));
    CHECK(f.apic.write_msr(0x1B, f.apic.read_msr(0x1B).value()));
}

TEST_CASE("the paravirtual end of interrupt saves an exit when one interrupt is in service", "[apic]") {
    ApicFixture f;
    REQUIRE(f.apic.write_msr(LocalApic::msr_pv_eoi, 0x1000 | 1));
    f.apic.set_pending(0x41);
    (void)f.apic.offer();
    CHECK(f.bytes[0x1000] == 1);
    f.apic.accept(0x41);
    f.bytes[0x1000] = 0; // what the guest does instead of writing EOI
    f.apic.collect_pv_eoi();
    CHECK(f.read(0x12) == 0); // ISR of vectors 40h..5Fh

    f.apic.set_pending(0x41);
    f.apic.accept(0x41);
    (void)f.apic.offer();
    f.apic.collect_pv_eoi(); // the guest has not ended it: the offer is withdrawn
    CHECK(f.bytes[0x1000] == 0);
    CHECK(f.read(0x12) == 2);
    f.apic.set_pending(0x61);
    (void)f.apic.offer(); // two, one of which may interrupt the other: no offer
    CHECK(f.bytes[0x1000] == 0);
}

TEST_CASE("an interrupt that waits behind another one costs no exit of its own, and is known to wait", "[apic]") {
    ApicFixture f;
    REQUIRE(f.apic.write_msr(LocalApic::msr_pv_eoi, 0x1000 | 1));
    f.apic.set_pending(0x42);
    CHECK_FALSE(f.apic.offer().another_waits); // it is the one that is offered

    f.apic.accept(0x42);
    f.apic.collect_pv_eoi();
    f.apic.set_pending(0x41); // of the same class: held until the end of the other
    CHECK(f.apic.offer().another_waits);
    CHECK(f.bytes[0x1000] == 1);
    f.bytes[0x1000] = 0; // the guest ends the first
    f.apic.collect_pv_eoi();
    const LocalApic::Offer last = f.apic.offer();
    CHECK(last.vector == 0x41);
    CHECK_FALSE(last.another_waits);
}

TEST_CASE("nothing waits for an exit when the end of the interrupt before it makes one", "[apic]") {
    ApicFixture f; // no flag: every end of an interrupt is an exit
    f.apic.set_pending(0x42);
    f.apic.accept(0x42);
    f.apic.set_pending(0x41);
    CHECK_FALSE(f.apic.offer().another_waits);
}

TEST_CASE("a paravirtual end-of-interrupt flag outside the guest's memory is refused", "[apic]") {
    ApicFixture f;
    CHECK_FALSE(f.apic.write_msr(LocalApic::msr_pv_eoi, 4 * page_size | 1));
    CHECK_FALSE(f.apic.write_msr(LocalApic::msr_pv_eoi, ~0ull));
    CHECK_FALSE(f.apic.write_msr(LocalApic::msr_pv_eoi, 0x1000 | 3));
    CHECK(f.apic.write_msr(LocalApic::msr_pv_eoi, 0));
}

TEST_CASE("an I/O APIC pin interrupts only when its entry is unmasked, fixed and has a valid vector",
          "[ioapic]") {
    RecordingHost host;
    IoApic io_apic{host};
    const auto write = [&](std::uint8_t index, std::uint32_t value) {
        io_apic.write_memory(0x00, 4, index);
        io_apic.write_memory(0x10, 4, value);
    };
    io_apic.raise(4);
    CHECK(host.interrupts.empty());
    CHECK_FALSE(io_apic.open_vector(4));
    write(0x10 + 8, 0x31);
    CHECK(io_apic.open_vector(4) == 0x31);
    io_apic.raise(4);
    CHECK(host.interrupts == std::vector<int>{0x31});
    write(0x10 + 8, 0x400 | 0x31); // NMI delivery
    io_apic.raise(4);
    write(0x10 + 8, 0x05);
    io_apic.raise(4);
    CHECK(host.interrupts.size() == 1);
    io_apic.write_memory(0x00, 4, 1);
    CHECK((io_apic.read_memory(0x10, 4) >> 16 & 0xff) == 23);
    io_apic.write_memory(0x00, 4, 0xff); // no such register
    io_apic.write_memory(0x10, 4, ~0u);
    CHECK(io_apic.read_memory(0x10, 4) == 0);
}

TEST_CASE("a vector that an I/O APIC entry names as level-triggered is one to the guest, and ends with an exit", "[ioapic][apic]") {
    ApicFixture f;
    const auto write_entry = [&](unsigned pin, std::uint32_t value) {
        f.io_apic.write_memory(0x00, 4, 0x10 + 2 * pin);
        f.io_apic.write_memory(0x10, 4, value);
    };
    REQUIRE(f.apic.write_msr(LocalApic::msr_pv_eoi, 0x1000 | 1));
    write_entry(4, 0x31);
    write_entry(17, 0xA000 | 0x45);
    write_entry(18, 0x18000 | 0x7F); // masked: what is in service was level-triggered all the same
    CHECK(f.read(0x18 + 1) == 0);
    CHECK(f.read(0x18 + 2) == 1u << 5);
    CHECK(f.read(0x18 + 3) == 1u << 31);
    f.apic.set_pending(0x45);
    (void)f.apic.offer();
    CHECK(f.memory.read<std::uint8_t>(GuestPhys{0x1000}) == 0);
    f.apic.accept(0x45);
    (void)f.apic.offer();
    f.apic.collect_pv_eoi();
    CHECK(f.apic.in_progress(0x45));
    REQUIRE(f.write(0x0B, 0));
    CHECK_FALSE(f.apic.in_progress(0x45));
    f.apic.set_pending(0x31);
    (void)f.apic.offer();
    CHECK(f.memory.read<std::uint8_t>(GuestPhys{0x1000}) == 1);
    write_entry(17, 0x45); // edge-triggered from now on
    CHECK(f.read(0x18 + 2) == 0);
    CHECK(f.read(0x18 + 3) == 1u << 31);
}

// docs/adr/0018: the guest uses the processor's own APIC.
TEST_CASE("a direct VM has neither a deadline timer nor a paravirtual end of interrupt", "[apic][direct]") {
    ApicFixture f;
    CHECK_FALSE(f.apic.direct());
    f.apic.reset(f.memory, f.io_apic, LocalApic::Mode::direct);
    REQUIRE(f.apic.direct());
    CHECK_FALSE(f.write(0x32, std::uint32_t{2} << 17 | 0xEC));
    CHECK_FALSE(f.write(0x32, std::uint32_t{3} << 17 | 0xEC)); // no such mode
    CHECK(f.write(0x32, std::uint32_t{1} << 17 | 0xEC));       // periodic
    CHECK(f.write(0x32, 0xEC));
    CHECK(f.read(0x32) == 0xEC);
    CHECK_FALSE(f.apic.write_msr(LocalApic::msr_tsc_deadline, 1));
    CHECK_FALSE(f.apic.read_msr(LocalApic::msr_tsc_deadline));
    CHECK_FALSE(f.apic.write_msr(LocalApic::msr_pv_eoi, 0x1000 | 1));
    CHECK_FALSE(f.apic.read_msr(LocalApic::msr_pv_eoi));
    CHECK(f.apic.deadline() == 0);
}

TEST_CASE("what is pending of a direct VM is taken once each, the most urgent first", "[apic][direct]") {
    ApicFixture f;
    f.apic.reset(f.memory, f.io_apic, LocalApic::Mode::direct);
    CHECK_FALSE(f.apic.take_pending());
    f.apic.set_pending(0x31);
    f.apic.set_pending(0xEC);
    f.apic.set_pending(0x31);
    CHECK(f.write(0x30, 0x40)); // a command to itself: still not sent by the guest
    CHECK(f.apic.take_pending() == 0xEC);
    CHECK(f.apic.take_pending() == 0x40);
    CHECK(f.apic.take_pending() == 0x31);
    CHECK_FALSE(f.apic.take_pending());
    CHECK_FALSE(f.apic.in_progress(0x31)); // the processor's own APIC knows
}

// The hypervisor takes what is left of them at its own vectors: there, these would be exceptions of its own.
TEST_CASE("a direct VM cannot have exceptions' numbers as interrupts in the processor's APIC", "[apic][direct]") {
    ApicFixture f;
    CHECK(f.write(0x3F, 0x12));
    CHECK(f.apic.take_pending() == 0x12); // emulated
    f.apic.reset(f.memory, f.io_apic, LocalApic::Mode::direct);
    CHECK(f.write(0x3F, 0x12));
    CHECK(f.write(0x3F, 0x1F));
    CHECK(f.write(0x30, 0x4001F)); // a command to itself
    f.apic.set_pending(0x1F);      // a link's message, a pin of the I/O APIC
    CHECK_FALSE(f.apic.take_pending());
    CHECK(f.write(0x3F, 0x20));
    CHECK(f.apic.take_pending() == 0x20);
    CHECK_FALSE(f.write(0x32, 0x12));
    CHECK_FALSE(f.write(0x32, std::uint32_t{1} << 17 | 0x1F));
    CHECK(f.write(0x32, std::uint32_t{1} << 16 | 0x12)); // masked
    CHECK(f.write(0x32, 0x20));
}

TEST_CASE("an APIC that is reset is an emulated one again", "[apic][direct]") {
    ApicFixture f;
    f.apic.reset(f.memory, f.io_apic, LocalApic::Mode::direct);
    f.apic.set_pending(0x31);
    f.apic.reset(f.memory, f.io_apic);
    CHECK_FALSE(f.apic.direct());
    CHECK_FALSE(f.apic.take_pending());
    CHECK(f.apic.read_msr(LocalApic::msr_tsc_deadline) == 0);
}
