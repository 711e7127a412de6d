// SPDX-License-Identifier: Apache-2.0
// The virtual devices that every VM has: console, PCI, power, clock, ACPI tables. Its APICs: local_apic_test.cpp.
#include "tests/unit/recording_host.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <numeric>
#include <string>
#include <vector>

using namespace casemate;
using namespace casemate::devices;

namespace {

struct ConsoleFixture {
    RecordingHost host;
    IoApic io_apic{host};
    Uart uart{host, io_apic};
    void send(std::string_view text) {
        for (const char byte : text) uart.write_port(0x3F8, 1, static_cast<std::uint8_t>(byte));
    }
};

std::uint8_t sum(ByteView bytes) {
    return std::accumulate(bytes.begin(), bytes.end(), std::uint8_t{0},
                           [](std::uint8_t a, std::uint8_t b) { return static_cast<std::uint8_t>(a + b); });
}

std::uint64_t u64_at(const mm::GuestMemory& memory, std::uint64_t where) {
    return memory.read<std::uint64_t>(GuestPhys{where}).value();
}
std::uint32_t u32_at(const mm::GuestMemory& memory, std::uint64_t where) {
    return memory.read<std::uint32_t>(GuestPhys{where}).value();
}

} // namespace

TEST_CASE("the console sends whole lines and hides what is not printable", "[uart]") {
    ConsoleFixture f;
    f.send("hello\r\nwor");
    CHECK(f.host.lines == std::vector<std::string>{"hello"});
    f.send(std::string{"ld\x01\xff\n", 5});
    CHECK(f.host.lines.back() == "world??");
    f.send("\n");
    CHECK(f.host.lines.size() == 2);
    f.send(std::string(1000, 'x') + "\n"); // cut after 400
    CHECK(f.host.lines.size() == 2 + 3);
    f.send("rest");
    f.uart.reset();
    CHECK(f.host.lines.back() == "rest");
}

TEST_CASE("the transmitter is always ready and says so by interrupt", "[uart]") {
    ConsoleFixture f;
    f.io_apic.write_memory(0x00, 4, 0x10 + 2 * Uart::irq);
    f.io_apic.write_memory(0x10, 4, 0x40);
    CHECK(f.uart.read_port(0x3FA, 1) == 1);
    f.uart.write_port(0x3F9, 1, 2);
    CHECK(f.host.interrupts == std::vector<int>{0x40});
    CHECK((f.uart.read_port(0x3FA, 1) & 0x0F) == 2);
    CHECK((f.uart.read_port(0x3FD, 1) & 0x60) == 0x60);
    f.uart.write_port(0x3FB, 1, 0x80); // divisor access: the data port is not the transmitter
    f.uart.write_port(0x3F8, 1, '\n');
    CHECK(f.host.lines.empty());
    CHECK(f.uart.read_port(0x3F8, 1) == '\n');
}

TEST_CASE("PCI shows the host bridge and what is attached, nothing else", "[pcibus]") {
    struct Function final : PciFunction {
        std::uint32_t last = 0;
        std::uint32_t read_config(std::uint8_t offset, unsigned) override { return 0x1000u + offset; }
        void write_config(std::uint8_t offset, unsigned width, std::uint32_t value) override {
            last = offset << 24 | width << 16 | value;
        }
    } function;
    PciBus bus;
    const auto select = [&](unsigned number, unsigned device, unsigned offset) {
        bus.write_port(0xCF8, 4, 1u << 31 | number << 16 | device << 11 | offset);
    };
    CHECK_FALSE(bus.attach(0, 0, function));
    CHECK_FALSE(bus.attach(32, 0, function));
    REQUIRE(bus.attach(3, 0, function));
    CHECK_FALSE(bus.attach(3, 0, function));
    select(0, 0, 8);
    CHECK(bus.read_port(0xCFE, 2) == 0x0600);
    select(0, 3, 0x10);
    CHECK(bus.read_port(0xCFC, 4) == 0x1010);
    bus.write_port(0xCFE, 2, 0x55);
    CHECK(function.last == (0x12u << 24 | 2 << 16 | 0x55));
    select(0, 4, 0);
    CHECK(bus.read_port(0xCFC, 4) == ~0u);
    select(1, 3, 0);
    CHECK(bus.read_port(0xCFC, 4) == ~0u);
    bus.write_port(0xCF8, 4, 3 << 11); // not enabled
    CHECK(bus.read_port(0xCFC, 4) == ~0u);
}

TEST_CASE("a VM ends itself through the ACPI registers", "[power]") {
    RecordingHost host;
    PowerPorts power{host};
    power.write_port(acpi_sleep_control_port, 1, 5 << 2); // without SLP_EN
    CHECK(host.requests.empty());
    power.write_port(acpi_sleep_control_port, 1, 5 << 2 | 1 << 5);
    power.write_port(acpi_reset_port, 1, 1);
    CHECK(host.requests == std::vector{PowerRequest::power_off, PowerRequest::reset});
}

TEST_CASE("a VM asks for a snapshot by any write to its port", "[power]") {
    RecordingHost host;
    PowerPorts power{host};
    power.write_port(snapshot_port, 1, 0);
    CHECK(host.snapshots == 1);
    CHECK(power.read_port(snapshot_port, 1) == ~0u);
    CHECK(host.snapshots == 1);
    CHECK(host.requests.empty());
}

TEST_CASE("what the platform was like comes back, and a countdown begins anew", "[platform]") {
    RecordingHost host;
    Platform platform{host};
    std::vector<std::uint8_t> ram(4 * page_size);
    platform.reset(mm::GuestMemory{ram}, 1000, 0);
    const auto redirect = [&](std::uint32_t low) { // pin 4
        platform.io_apic.write_memory(0, 4, 0x10 + 2 * Uart::irq);
        platform.io_apic.write_memory(0x10, 4, low);
    };
    redirect(0x44);
    platform.console.write_port(0x3F8, 1, 'a');
    platform.watchdog.write_port(Watchdog::countdown_port, 4, 10);
    platform.watchdog.write_port(Watchdog::command_port, 4, Watchdog::run);
    CHECK_FALSE(platform.watchdog.expired(0, 1000)); // until 1,000,000
    const PlatformImage image = platform.save();
    redirect(0x55);
    platform.console.write_port(0x3F8, 1, 'b');
    platform.watchdog.write_port(Watchdog::command_port, 4, Watchdog::stop);
    platform.restore(image);
    CHECK(platform.io_apic.open_vector(Uart::irq) == 0x44);
    platform.console.write_port(0x3F8, 1, 'c');
    platform.console.write_port(0x3F8, 1, '\n');
    CHECK(host.lines == std::vector<std::string>{"ac"});
    CHECK_FALSE(platform.watchdog.expired(5'000'000, 1000));
    CHECK(platform.watchdog.expired(6'000'000, 1000));
}

TEST_CASE("the clock page converts TSC ticks into nanoseconds", "[pvclock]") {
    const std::uint64_t khz = GENERATE(as<std::uint64_t>{}, 800'000, 1'000'000, 2'445'380, 5'000'000);
    const TscScale scale = calculate_tsc_scale(khz);
    const std::uint64_t second = khz * 1000;
    const auto nanoseconds = static_cast<std::uint64_t>(
        static_cast<unsigned __int128>(second << scale.shift) * scale.multiplier >> 32);
    CHECK(nanoseconds > 999'999'000);
    CHECK(nanoseconds <= 1'000'000'000);
}

TEST_CASE("the clock refuses a page outside the guest's memory", "[pvclock]") {
    std::vector<std::uint8_t> bytes(page_size);
    PvClock clock;
    clock.reset(mm::GuestMemory{bytes}, 2'000'000, 77);
    CHECK_FALSE(clock.write_msr(PvClock::msr_system_time, page_size | 1));
    CHECK_FALSE(clock.write_msr(PvClock::msr_wall_clock, page_size - 4));
    REQUIRE(clock.write_msr(PvClock::msr_system_time, 0x100 | 1));
    CHECK(bytes[0x108] == 77);
    CHECK(bytes[0x11D] == 1); // stable
}

namespace {

constexpr std::uint64_t khz = 1000; // so that a TSC tick is a microsecond

struct Watched {
    Watchdog watchdog;
    void command(Watchdog::Command number) { watchdog.write_port(Watchdog::command_port, 4, number); }
    void countdown(std::uint32_t count) { watchdog.write_port(Watchdog::countdown_port, 4, count); }
    bool expired_at(std::uint64_t ms) { return watchdog.expired(1 + ms * khz, khz); }
};

} // namespace

TEST_CASE("a watchdog that is started and not restarted in time runs out", "[watchdog]") {
    Watched f;
    CHECK_FALSE(f.expired_at(1'000'000'000)); // never started
    f.countdown(50);
    CHECK_FALSE(f.expired_at(1'000'000'000));
    f.command(Watchdog::run);
    CHECK_FALSE(f.expired_at(1000));
    CHECK_FALSE(f.expired_at(5999));
    f.command(Watchdog::restart);
    CHECK_FALSE(f.expired_at(5999));
    CHECK_FALSE(f.expired_at(10'998));
    CHECK(f.expired_at(10'999));
    f.command(Watchdog::stop);
    CHECK_FALSE(f.expired_at(1'000'000));
    f.command(Watchdog::run);
    f.watchdog.reset();
    CHECK_FALSE(f.expired_at(1'000'000));
    CHECK_FALSE(f.expired_at(2'000'000));
}

TEST_CASE("a countdown is brought into its range and other writes do nothing", "[watchdog]") {
    Watched f;
    const std::uint32_t count = GENERATE(0u, 1u, 36'001u, 0xffffffffu);
    const std::uint64_t ms = count < 10 ? 1000 : 3'600'000;
    f.countdown(count);
    f.command(Watchdog::run);
    CHECK_FALSE(f.expired_at(0));
    f.watchdog.write_port(Watchdog::first_port + 2, 4, 5); // between the two
    CHECK_FALSE(f.expired_at(ms - 1));
    CHECK(f.expired_at(ms));
}

TEST_CASE("the WDAT says how the watchdog is worked", "[acpi]") {
    std::vector<std::uint8_t> bytes(2 * acpi_area_size);
    const mm::GuestMemory memory{bytes};
    const auto rsdp = write_acpi_tables(memory, GuestPhys{acpi_area_size}, {});
    REQUIRE(rsdp);
    const std::uint64_t wdat = u64_at(memory, u64_at(memory, rsdp->value + 24) + 36 + 16);
    CHECK(u32_at(memory, wdat + 4) == 36 + 32 + 4 * 24);
    CHECK(u32_at(memory, wdat + 36) == 32);
    CHECK(u32_at(memory, wdat + 48) == 100);
    CHECK((u32_at(memory, wdat + 60) & 0xff) == 1);
    CHECK(u32_at(memory, wdat + 64) == 4);
    const auto entry = [&](std::uint64_t i, std::uint64_t at) { return u32_at(memory, wdat + 68 + 24 * i + at); };
    const std::uint32_t expected[][3] = {{0x0201, 0x60C, 1}, {0x0306, 0x608, 0}, {0x0209, 0x60C, 2}, {0x020B, 0x60C, 3}};
    for (std::uint64_t i = 0; i < 4; ++i) {
        CHECK(entry(i, 0) == expected[i][0]);    // action, instruction
        CHECK(entry(i, 4) == 0x03002001);        // I/O space, 32 bits, in double words
        CHECK(entry(i, 8) == expected[i][1]);
        CHECK(entry(i, 16) == expected[i][2]);
        CHECK(entry(i, 20) == 0xffffffff);
    }
}

TEST_CASE("every ACPI table is reachable from the RSDP and sums to zero", "[acpi]") {
    std::vector<std::uint8_t> bytes(2 * acpi_area_size);
    const mm::GuestMemory memory{bytes};
    std::vector<std::uint8_t> extra(40, 7);
    extra[4] = 40, extra[5] = extra[6] = extra[7] = 0;
    const ByteView extras[] = {extra};
    const auto rsdp = write_acpi_tables(memory, GuestPhys{acpi_area_size}, {.agent = true, .extra = extras});
    REQUIRE(rsdp);
    CHECK(sum(memory.bytes(*rsdp, 20)) == 0);
    CHECK(sum(memory.bytes(*rsdp, 36)) == 0);
    const std::uint64_t xsdt = u64_at(memory, rsdp->value + 24);
    const std::uint32_t length = u32_at(memory, xsdt + 4);
    CHECK(sum(memory.bytes(GuestPhys{xsdt}, length)) == 0);
    std::vector<std::string> names;
    for (std::uint64_t entry = xsdt + 36; entry < xsdt + length; entry += 8) {
        const std::uint64_t table = u64_at(memory, entry);
        CHECK(sum(memory.bytes(GuestPhys{table}, u32_at(memory, table + 4))) == 0);
        const ByteSpan name = memory.bytes(GuestPhys{table}, 4);
        names.emplace_back(name.begin(), name.end());
    }
    CHECK(names == std::vector<std::string>{"FACP", "APIC", "WDAT", "SSDT", "\7\7\7\7"});
    const std::uint64_t fadt = u64_at(memory, xsdt + 36);
    CHECK(u32_at(memory, fadt + 4) == 276);
    CHECK((u32_at(memory, fadt + 112) & 1 << 20) != 0);
    const std::uint64_t dsdt = u64_at(memory, fadt + 140);
    CHECK(sum(memory.bytes(GuestPhys{dsdt}, u32_at(memory, dsdt + 4))) == 0);
    CHECK_FALSE(write_acpi_tables(memory, GuestPhys{acpi_area_size + 1}, {}));
}

TEST_CASE("ranges of the I/O bus never overlap and never overflow their table", "[iobus]") {
    RecordingHost host;
    PowerPorts device{host};
    RangeRegistry<PortDevice, std::uint32_t, 2> ports;
    CHECK(ports.add(0x100, 8, device));
    CHECK_FALSE(ports.add(0x107, 1, device));
    CHECK_FALSE(ports.add(0xf9, 8, device));
    CHECK_FALSE(ports.add(0x200, 0, device));
    CHECK(ports.add(0x108, 1, device));
    CHECK_FALSE(ports.add(0x300, 1, device));
    CHECK(ports.find(0x107)->first == 0x100);
    CHECK(ports.find(0x109) == nullptr);
}
