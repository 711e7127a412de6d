// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "hypervisor/hw/pci_placement.hpp"
#include "hypervisor/hw/pci_reset.hpp"
#include "tests/unit/pci_model.hpp"

using namespace casemate;
using namespace casemate::hw;
using namespace casemate::testing;

namespace {

ModelPci model() {
    ModelPci bus;
    bus.functions[nvme_at] = model_nvme();
    bus.functions[ethernet_at] = model_ethernet();
    return bus;
}

FunctionReset::State run(FunctionReset& reset) {
    for (;;) {
        const FunctionReset::State state = reset.step();
        if (state == FunctionReset::State::done || state == FunctionReset::State::failed)
            return state;
    }
}

} // namespace

TEST_CASE("enumeration visits functions in order and the further functions of multi-function devices only",
          "[pci]") {
    ModelPci bus = model();
    bus.functions[{.device = 31}] = model_function(1, 0x060100);
    bus.functions[{.device = 31}].put(0x0c, 0x0080'0000);
    bus.functions[{.device = 31, .function = 2}] = model_function(1, 0x010601);
    bus.functions[{.device = 4, .function = 1}] =
        model_function(1, 0); // device 4 does not say multi-function
    bus.functions[{.bus = 255}] = model_function(1, 0);
    std::vector<DeviceAddress> seen;
    enumerate(bus, [&](DeviceAddress at) { seen.push_back(at); });
    CHECK(seen == std::vector<DeviceAddress>{
                      ethernet_at, nvme_at, {.device = 31}, {.device = 31, .function = 2}, {.bus = 255}});
}

TEST_CASE("probe reads identity, capabilities and BAR sizes and leaves the BARs as they were", "[pci]") {
    ModelPci bus = model();
    const auto nvme = probe(bus, nvme_at);
    REQUIRE(nvme.ok());
    CHECK(nvme.value().identity == PciIdentity{0x1b36, 0x0010, 0x1af4, 0x1100, 0x010802});
    CHECK(nvme.value().capability.msix == 0x40);
    CHECK(nvme.value().capability.power == 0x60);
    CHECK(nvme.value().capability.msi == 0x70);
    CHECK(nvme.value().capability.express == 0x80);
    CHECK(nvme.value().bar[0].range.base.value == 0xc0000000);
    CHECK(nvme.value().bar[0].range.size == 0x4000);
    CHECK(nvme.value().bar[0].wide);
    CHECK(nvme.value().bar[1].range.size == 0);
    CHECK(bus.functions[nvme_at].get(0x10) == 0xc0000004);
    CHECK(bus.functions[nvme_at].get(0x14) == 0);

    const auto ethernet = probe(bus, ethernet_at);
    REQUIRE(ethernet.ok());
    CHECK(ethernet.value().bar[0].range.size == 0x20000);
    CHECK(ethernet.value().bar[1].range.base.value == 0xc0040000);
    CHECK(ethernet.value().bar[2].range.size == 0); // I/O
    CHECK(bus.functions[ethernet_at].get(0x18) == 0x6001);
}

TEST_CASE("probe switches bus master, INTx, MSI and MSI-X off", "[pci]") {
    ModelPci bus = model();
    bus.functions[nvme_at].put(0x40, 0x8040'6011);
    bus.functions[nvme_at].put(0x70, 0x0081'8005);
    REQUIRE(probe(bus, nvme_at).ok());
    CHECK((bus.functions[nvme_at].get(4) & 0xffff) == (2 | 1 << 10));
    CHECK(bus.functions[nvme_at].get(0x40) == 0x4040'6011);
    CHECK(bus.functions[nvme_at].get(0x70) == 0x0080'8005);
}

TEST_CASE("quiescing a function that is in use masks its MSI-X and leaves it on, until it gets a new holder", "[pci]") {
    ModelPci bus = model();
    const PciFunction nvme = probe(bus, nvme_at).value();
    bus.functions[nvme_at].put(0x40, 0x8040'6011);
    quiesce(bus, nvme);
    CHECK(bus.functions[nvme_at].get(0x40) == 0xc040'6011);
    disable_msix(bus, nvme);
    CHECK(bus.functions[nvme_at].get(0x40) == 0x4040'6011);
}

TEST_CASE("a capability list that runs in a circle is refused", "[pci]") {
    ModelPci bus = model();
    bus.functions[nvme_at].put(0x80, 0x0002'4010);
    const auto result = probe(bus, nvme_at);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error() == PciError::capability_loop);
}

TEST_CASE("BARs over RAM, the platform's registers, another function or each other are refused", "[pci]") {
    ModelPci bus = model();
    PciFunction f = probe(bus, ethernet_at).value();
    const HostRange ram{{0}, 0x80000000};
    CHECK(check_placement(f, {&ram, 1}).ok());
    const auto refused_at = [&](std::uint64_t base) {
        f.bar[0].range.base.value = base;
        return !check_placement(f, {&ram, 1}).ok();
    };
    CHECK(refused_at(0x7fff0000));
    CHECK(refused_at(0));
    CHECK(refused_at(0xfed40000));
    CHECK(refused_at(0xfee00000));
    CHECK(refused_at(0xfebf0000));
    CHECK(refused_at(0xc0040000)); // its own BAR 1
    CHECK(refused_at(0xc0020800)); // not page aligned
    CHECK(refused_at(~0ull - 0x100));
    CHECK_FALSE(refused_at(0xc0020000));
    const HostRange other{{0xc0030000}, 0x1000};
    CHECK_FALSE(check_placement(f, {&other, 1}).ok());
    f.bar[1].range.size = 0x800;
    CHECK_FALSE(check_placement(f, {&ram, 1}).ok());
}

TEST_CASE("a function level reset waits, comes back and has its BARs again, without bus master", "[pci]") {
    ModelPci bus = model();
    StepClock clock;
    const PciFunction nvme = probe(bus, nvme_at).value();
    allow_bus_master(bus, nvme);
    CHECK(bus.functions[nvme_at].get(4) & 4);
    REQUIRE(reset_kind(bus, nvme) == ResetKind::flr);
    const std::uint64_t before = clock.time;
    FunctionReset reset = FunctionReset::start(bus, clock, nvme).value();
    CHECK(reset.step() == FunctionReset::State::resetting);
    REQUIRE(run(reset) == FunctionReset::State::done);
    CHECK(clock.time - before >= 100'000);
    CHECK(bus.functions[nvme_at].resets == 1);
    CHECK(bus.functions[nvme_at].get(0x10) == 0xc0000004);
    CHECK((bus.functions[nvme_at].get(4) & 0xffff) == (2 | 1 << 10));
}

TEST_CASE("a reset that cannot be done or does not end is an error", "[pci]") {
    ModelPci bus = model();
    StepClock clock;
    const PciFunction ethernet = probe(bus, ethernet_at).value();
    CHECK(reset_kind(bus, ethernet) == ResetKind::none);
    CHECK(FunctionReset::start(bus, clock, ethernet).error() == PciError::no_reset);
    const PciFunction nvme = probe(bus, nvme_at).value();
    bus.functions[nvme_at].put(0x88, 0x0020'0000); // transactions pending for ever
    FunctionReset busy = FunctionReset::start(bus, clock, nvme).value();
    CHECK(run(busy) == FunctionReset::State::failed);
    CHECK(bus.functions[nvme_at].resets == 0);
    bus.functions[nvme_at].put(0x88, 0);
    bus.functions[nvme_at].comes_back = false;
    FunctionReset lost = FunctionReset::start(bus, clock, nvme).value();
    CHECK(run(lost) == FunctionReset::State::failed);
    CHECK(bus.functions[nvme_at].resets == 1);
}
