// SPDX-License-Identifier: Apache-2.0
// INTx from a function's line to its guest and back: the host's I/O APIC, the pins that PCI shares, assigned functions. The
// model below joins them as the machine does: a function that asserts its line and is not disabled drives its pin; a pin that is
// level-triggered sends one interrupt and no other until its vector is ended [82093AA 3.2.4].
#include <catch2/catch.hpp>

#include "hypervisor/devices/assigned_device.hpp"
#include "hypervisor/hw/pci_pins.hpp"
#include "hypervisor/hw/pci_placement.hpp"
#include "tests/unit/pci_model.hpp"

using namespace casemate;
using namespace casemate::devices;
using namespace casemate::testing;

namespace {

constexpr std::uint32_t level = 1 << 15, remote_irr = 1 << 14, active_low = 1 << 13, masked = 1 << 16;
constexpr std::uint32_t asserted = 1 << 19, disabled = 1 << 10; // status and command word
constexpr unsigned pin = 21, line = pin - 16;
constexpr std::uint8_t vector = 0xE6;

struct ModelIoApic {
    std::uint32_t version = 23 << 16 | 0x20;
    std::array<std::uint32_t, 256> registers{};
    std::uint32_t selected = 0;
    std::uint32_t lines = 0; // a bit a pin
    unsigned sent = 0;

    std::uint32_t& low(unsigned number) { return registers[0x10 + 2 * number]; }
    void settle() {
        for (unsigned i = 0; i < 24; ++i) {
            if ((lines >> i & 1) == 0 || (low(i) & (masked | remote_irr)) != 0) continue;
            if ((low(i) & level) != 0) low(i) |= remote_irr;
            ++sent;
        }
    }
    void write(std::uint32_t offset, std::uint32_t value) {
        if (offset == 0x00) selected = value & 0xff;
        if (offset == 0x10) registers[selected] = (registers[selected] & remote_irr) | (value & ~remote_irr);
        if (offset == 0x40)
            for (unsigned i = 0; i < 24; ++i)
                if ((low(i) & 0xff) == value) low(i) &= ~remote_irr;
        settle();
    }
    std::uint32_t read(std::uint32_t offset) const {
        if (offset != 0x10) return selected;
        return selected == 1 ? version : registers[selected];
    }
};

struct ModelBus {
    ModelIoApic* model;
    std::uint32_t read32(std::uint32_t offset) const { return model->read(offset); }
    void write32(std::uint32_t offset, std::uint32_t value) { model->write(offset, value); }
};

/// Two functions on one pin, each in a VM of its own.
struct Machine {
    ModelPci bus;
    ModelIoApic registers;
    hw::IoApic<ModelBus> io_apic{ModelBus{&registers}};
    hw::PciPins<ModelBus> pins{io_apic};
    hw::PciFunction function[2];
    BarWindow window{{0xe0000000}, 0x1000000};
    std::vector<AssignedDevice> devices;
    unsigned passed[2] = {}, handled = 0;

    Machine() {
        bus.functions[line_at] = model_line_ethernet();
        bus.functions[other_line_at] = model_line_ethernet();
        function[0] = hw::probe(bus, line_at).value();
        function[1] = hw::probe(bus, other_line_at).value();
        for (const hw::PciFunction& each : function) devices.push_back(*AssignedDevice::create(bus, each, window));
        REQUIRE(io_apic.take_over(24));
        io_apic.route(pin, vector, 0);
    }
    ModelFunction& model(unsigned i) { return bus.functions[function[i].address]; }
    std::uint32_t command(unsigned i) { return model(i).get(4) & 0xffff; }
    void assert_line(unsigned i) { model(i).put(4, model(i).get(4) | asserted); }
    void release_line(unsigned i) { model(i).put(4, model(i).get(4) & ~asserted); }
    void start(unsigned i) {
        devices[i].restart();
        devices[i].write_config(4, 2, 6); // its driver: memory, bus master
    }
    void tick(bool wanted = true) {
        for (unsigned i = 0; i < 2; ++i) passed[i] += devices[i].renew_interrupts();
        pins.tend(wanted);
    }
    /// Until the machine is quiet; false when it is not soon.
    bool run() {
        for (unsigned round = 0; round < 10; ++round) {
            registers.lines = 0;
            for (unsigned i = 0; i < 2; ++i)
                if ((model(i).get(4) & (asserted | disabled)) == asserted) registers.lines = 1u << pin;
            registers.settle();
            if (registers.sent == handled) return true;
            ++handled;
            bool claimed = false;
            for (unsigned i = 0; i < 2; ++i) {
                const auto claim = devices[i].take_interrupt();
                passed[i] += claim == AssignedDevice::Claim::interrupt;
                claimed = claimed || claim != AssignedDevice::Claim::none;
            }
            registers.lines = 0;
            for (unsigned i = 0; i < 2; ++i)
                if ((model(i).get(4) & (asserted | disabled)) == asserted) registers.lines = 1u << pin;
            pins.on_interrupt(line, claimed);
        }
        return false;
    }
};

} // namespace

TEST_CASE("an I/O APIC is taken over with every pin masked, or not at all", "[intx]") {
    ModelIoApic registers;
    hw::IoApic io_apic{ModelBus{&registers}};
    CHECK(io_apic.take_over(24));
    for (unsigned i = 0; i < 24; ++i) CHECK(registers.low(i) == masked);
    CHECK_FALSE(io_apic.take_over(25));
    registers.version = 23 << 16 | 0x11; // no register to end interrupts by
    CHECK_FALSE(io_apic.take_over(24));
    registers.version = ~0u; // nobody there
    CHECK_FALSE(io_apic.take_over(24));
}

TEST_CASE("a pin is masked until it is opened, and interrupts again only when its vector is ended", "[intx]") {
    ModelIoApic registers;
    hw::IoApic io_apic{ModelBus{&registers}};
    REQUIRE(io_apic.take_over(24));
    io_apic.route(pin, vector, 3);
    io_apic.route(3, 0xE0, 3);
    CHECK(registers.low(pin) == (masked | level | active_low | vector));
    CHECK(registers.low(3) == (masked | level | 0xE0));
    CHECK(registers.registers[0x11 + 2 * pin] == 3u << 24);
    registers.lines = 1u << pin;
    registers.settle();
    CHECK(registers.sent == 0);
    io_apic.reopen(pin);
    CHECK(registers.sent == 1);
    registers.settle();
    CHECK(registers.sent == 1);
    io_apic.end(pin);
    CHECK(registers.sent == 2);
    io_apic.mask(pin);
    io_apic.end(pin);
    CHECK(registers.sent == 2);
    CHECK(registers.low(pin) == (masked | level | active_low | vector));
}

TEST_CASE("INTx is for functions that have nothing else and can be silenced", "[intx][assigned]") {
    ModelPci bus;
    bus.functions[line_at] = model_line_ethernet();
    CHECK(hw::probe(bus, line_at).value().intx);
    bus.functions[line_at].put(0x3d, 0, 1); // no interrupt pin
    CHECK_FALSE(hw::probe(bus, line_at).value().intx);
    bus.functions[line_at] = model_line_ethernet();
    bus.functions[line_at].allow(0x04, 0x0007); // older than PCI 2.3
    CHECK_FALSE(hw::probe(bus, line_at).value().intx);
    bus.functions[ethernet_at] = model_ethernet();
    bus.functions[ethernet_at].put(0x3d, 1, 1);
    CHECK_FALSE(hw::probe(bus, ethernet_at).value().intx); // it has MSI
}

TEST_CASE("a guest is told pin and line of a function with INTx, and its driver opens the line", "[intx][assigned]") {
    Machine m;
    CHECK(m.devices[0].read_config(0x3d, 1) == 1);
    CHECK(m.devices[0].read_config(0x3c, 1) == PciBus::interrupt_pin(line_at.device));
    CHECK(PciBus::interrupt_pin(line_at.device) == 17);
    PciBus bus;
    CHECK_FALSE(bus.has_lines());
    REQUIRE(bus.attach(line_at.device, line_at.function, m.devices[0]));
    CHECK(bus.has_lines());
    m.devices[0].write_config(0x3c, 4, 0x0205);
    CHECK(m.devices[0].read_config(0x3c, 4) == 0x0111);
    CHECK((m.command(0) & disabled) != 0);
    m.devices[0].write_config(4, 2, 6); // before it is given to a VM
    CHECK(m.command(0) == (disabled | 6));
    m.start(0);
    CHECK(m.command(0) == 6);
    m.devices[0].write_config(4, 2, 6 | disabled);
    CHECK(m.command(0) == (disabled | 6));
}

TEST_CASE("an interrupt silences its function until the guest has ended it", "[intx][assigned]") {
    Machine m;
    m.start(0);
    m.tick();
    m.assert_line(0);
    CHECK(m.run());
    CHECK(m.passed[0] == 1);
    CHECK(m.command(0) == (disabled | 6));
    CHECK(m.devices[0].take_interrupt() == AssignedDevice::Claim::none); // who interrupts now is another
    m.devices[0].write_config(4, 2, 2); // nothing that the guest writes opens it
    m.devices[0].write_config(4, 2, 6);
    CHECK(m.command(0) == (disabled | 6));
    m.devices[0].end_interrupt();
    CHECK(m.run()); // the line was up still
    CHECK(m.passed[0] == 2);
    m.release_line(0);
    m.devices[0].end_interrupt();
    CHECK(m.run());
    CHECK(m.passed[0] == 2);
    CHECK(m.command(0) == 6);
    m.devices[0].end_interrupt(); // of another function on the guest's pin
    CHECK(m.command(0) == 6);
}

TEST_CASE("a guest that never ends its interrupt costs one, and the other function on the pin goes on", "[intx]") {
    Machine m;
    m.start(0);
    m.start(1);
    m.tick();
    m.assert_line(0);
    CHECK(m.run());
    for (unsigned i = 1; i <= 50; ++i) {
        m.assert_line(1);
        CHECK(m.run());
        CHECK(m.passed[1] == i);
        m.release_line(1);
        m.devices[1].end_interrupt();
        CHECK(m.run());
    }
    CHECK(m.passed[0] == 1);
    CHECK(m.handled == 51);
}

TEST_CASE("a guest that ends its interrupts as fast as they come gets so many in a tick, and the last one in the next", "[intx]") {
    Machine m;
    m.start(0);
    m.start(1);
    m.tick();
    m.assert_line(0);
    for (unsigned i = 0; i < 1000; ++i) {
        CHECK(m.run());
        if (m.passed[0] == i + 1) m.devices[0].end_interrupt();
    }
    CHECK(m.passed[0] == AssignedDevice::interrupts_each_tick);
    CHECK(m.handled == AssignedDevice::interrupts_each_tick + 1);
    m.assert_line(1);
    CHECK(m.run());
    CHECK(m.passed[1] == 1);
    m.tick();
    CHECK(m.passed[0] == AssignedDevice::interrupts_each_tick + 1);
    m.tick();
    CHECK(m.passed[0] == AssignedDevice::interrupts_each_tick + 1);
    m.devices[0].end_interrupt();
    CHECK(m.run());
    CHECK(m.passed[0] == AssignedDevice::interrupts_each_tick + 2);
}

TEST_CASE("a function that was taken away keeps silent whatever its former guest does", "[intx][assigned]") {
    Machine m;
    m.start(0);
    m.tick();
    m.assert_line(0);
    CHECK(m.run());
    m.devices[0].shut_line();
    m.devices[0].end_interrupt();
    m.devices[0].write_config(4, 2, 6);
    CHECK((m.command(0) & disabled) != 0);
    CHECK(m.run());
    CHECK(m.passed[0] == 1);
    m.model(0).put(4, (m.model(0).get(4) & ~disabled)); // a write of the guest that was under way
    CHECK(m.run());
    CHECK(m.passed[0] == 1);
    CHECK((m.command(0) & disabled) != 0);
}

TEST_CASE("pins are masked while no VM holds a function with INTx", "[intx]") {
    Machine m;
    m.start(0);
    m.assert_line(0);
    CHECK(m.run());
    CHECK(m.handled == 0);
    m.tick();
    CHECK(m.run());
    CHECK(m.passed[0] == 1);
    m.tick(false);
    CHECK((m.registers.low(pin) & masked) != 0);
    m.devices[0].end_interrupt();
    CHECK(m.run());
    CHECK(m.passed[0] == 1);
    m.pins.on_interrupt(line, true); // one that was under way
    CHECK((m.registers.low(pin) & masked) != 0);
}

TEST_CASE("a pin that nobody owns up to is masked until the next tick", "[intx]") {
    Machine m;
    m.start(0);
    m.tick();
    m.bus.functions[line_at].allow(0x04, 0x0007); // nothing silences it any more
    m.bus.functions[line_at].put(4, asserted | 6);
    m.registers.lines = 1u << pin;
    m.registers.settle();
    CHECK(m.registers.sent == 1);
    m.pins.on_interrupt(line, false);
    m.registers.settle();
    CHECK(m.registers.sent == 1);
    CHECK((m.registers.low(pin) & masked) != 0);
    m.tick();
    CHECK(m.registers.sent == 2);
}

TEST_CASE("the end of an interrupt reaches the functions of its pin only", "[intx]") {
    struct Counter final : PciFunction {
        int ends = 0;
        std::uint32_t read_config(std::uint8_t, unsigned) override { return 0; }
        void write_config(std::uint8_t, unsigned, std::uint32_t) override {}
        void end_interrupt() override { ++ends; }
    } first, same_pin, other_pin;
    PciBus bus;
    REQUIRE(bus.attach(1, 0, first));
    REQUIRE(bus.attach(9, 3, same_pin));
    REQUIRE(bus.attach(2, 0, other_pin));
    bus.end_interrupt(17);
    CHECK(first.ends == 1);
    CHECK(same_pin.ends == 1);
    CHECK(other_pin.ends == 0);
}

TEST_CASE("a BAR smaller than a page is given with its page, which nothing else may share", "[intx][pci]") {
    Machine m;
    CHECK(m.function[0].bar[1].range.base.value == 0xc0080000);
    CHECK(m.function[0].bar[1].range.size == page_size);
    m.devices[0].write_config(0x14, 4, ~0u);
    CHECK(m.devices[0].read_config(0x14, 4) == 0xfffff000);
    CHECK(hw::check_placement(m.function[0], {}).ok());
    const HostRange neighbour{{0xc0080f00}, 0x100};
    CHECK_FALSE(hw::check_placement(m.function[0], {&neighbour, 1}).ok());
    m.bus.functions[line_at].put(0x14, 0xc0080100);
    CHECK_FALSE(hw::check_placement(hw::probe(m.bus, line_at).value(), {}).ok());
}
