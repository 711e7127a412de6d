// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "hypervisor/devices/assigned_device.hpp"
#include "tests/unit/pci_model.hpp"

using namespace casemate;
using namespace casemate::devices;
using namespace casemate::testing;

namespace {

struct Fixture {
    ModelPci bus;
    hw::PciFunction nvme, ethernet;
    BarWindow window{{0xe0000000}, 0x1000000};
    Fixture() {
        bus.functions[nvme_at] = model_nvme();
        bus.functions[ethernet_at] = model_ethernet();
        nvme = hw::probe(bus, nvme_at).value();
        ethernet = hw::probe(bus, ethernet_at).value();
    }
};

} // namespace

TEST_CASE("a guest sees identity, fixed BARs and only the capabilities that it may use", "[assigned]") {
    Fixture f;
    auto device = AssignedDevice::create(f.bus, f.nvme, f.window);
    REQUIRE(device);
    CHECK(device->read_config(0, 4) == 0x00101b36);
    CHECK(device->read_config(0, 2) == 0x1b36);
    CHECK(device->read_config(2, 2) == 0x0010);
    CHECK(device->read_config(0x0b, 1) == 0x01);
    CHECK(device->read_config(0x10, 4) == 0xe0000004);
    CHECK(device->read_config(0x14, 4) == 0);
    CHECK(device->read_config(0x2c, 4) == 0x11001af4);
    CHECK(device->read_config(0x30, 4) == 0);
    CHECK(device->read_config(0x3d, 1) == 0); // no INTx
    std::vector<unsigned> chain;
    for (std::uint32_t at = device->read_config(0x34, 1); at != 0 && chain.size() < 9;
         at = device->read_config(static_cast<std::uint8_t>(at + 1), 1))
        chain.push_back(device->read_config(static_cast<std::uint8_t>(at), 1));
    CHECK(chain == std::vector<unsigned>{0x01, 0x05, 0x10, 0x11});
    CHECK((device->read_config(0x84, 4) & 1u << 28) == 0); // no FLR for the guest
}

TEST_CASE("a guest sizes BARs without touching the function", "[assigned]") {
    Fixture f;
    auto device = AssignedDevice::create(f.bus, f.ethernet, f.window);
    REQUIRE(device);
    f.bus.writes.clear();
    device->write_config(0x14, 4, 0xffffffff);
    CHECK(device->read_config(0x14, 4) == 0xfffe0000);
    device->write_config(0x14, 4, 0x12340000);
    CHECK(device->read_config(0x14, 4) == 0xe0020000);
    device->write_config(0x18, 4, 0xffffffff);
    CHECK(device->read_config(0x18, 4) == 0); // I/O BAR is hidden
    CHECK(f.bus.writes.empty());
    std::vector<std::pair<std::uint64_t, std::uint64_t>> bars;
    device->for_each_bar(
        [&](GuestPhys at, HostRange range) { bars.emplace_back(at.value, range.base.value); });
    CHECK(bars == std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0xe0000000, 0xc0020000},
                                                                       {0xe0020000, 0xc0040000}});
}

TEST_CASE("the upper half of a 64-bit BAR sizes on its own", "[assigned]") {
    Fixture f;
    auto device = AssignedDevice::create(f.bus, f.nvme, f.window);
    device->write_config(0x10, 4, 0xffffffff);
    device->write_config(0x14, 4, 0xffffffff);
    CHECK(device->read_config(0x10, 4) == 0xffffc004);
    CHECK(device->read_config(0x14, 4) == 0xffffffff);
}

TEST_CASE("of the command register only bus master reaches the function", "[assigned]") {
    Fixture f;
    auto device = AssignedDevice::create(f.bus, f.nvme, f.window);
    device->write_config(4, 2, 0xffff);
    CHECK((f.bus.functions[nvme_at].get(4) & 0xffff) == (2 | 4 | 1 << 10));
    CHECK((device->read_config(4, 2)) == (2 | 4 | 1 << 10));
    device->write_config(4, 2, 0);
    CHECK((f.bus.functions[nvme_at].get(4) & 0xffff) == (2 | 1 << 10)); // decoding stays, INTx stays off
    CHECK(device->read_config(4, 2) == 0);
    CHECK(device->read_config(6, 2) == 0x10);
}

TEST_CASE("MSI and MSI-X control may be written, power state and device control not", "[assigned]") {
    Fixture f;
    auto device = AssignedDevice::create(f.bus, f.nvme, f.window);
    device->write_config(0x42, 2, 0x8000);
    CHECK(f.bus.functions[nvme_at].get(0x40) == 0x8040'6011);
    device->write_config(0x72, 2, 0x0001);
    CHECK(f.bus.functions[nvme_at].get(0x70) == 0x0081'8005);
    device->write_config(0x74, 4, 0xfee00000);
    CHECK(f.bus.functions[nvme_at].get(0x74) == 0xfee00000);
    f.bus.writes.clear();
    device->write_config(0x64, 2, 3);       // D3hot
    device->write_config(0x88, 2, 1 << 15); // FLR
    device->write_config(0x40, 4, 0);       // would cross the header
    device->write_config(0x4b, 2, 0);       // unaligned
    device->write_config(0x3c, 1, 9);
    device->write_config(0xfc, 4, ~0u);
    CHECK(f.bus.writes.empty());
    CHECK(f.bus.functions[nvme_at].resets == 0);
}

TEST_CASE("no offset and width makes the guest's accesses leave the function's 256 bytes", "[assigned]") {
    Fixture f;
    auto device = AssignedDevice::create(f.bus, f.nvme, f.window);
    for (unsigned offset = 0; offset < 256; ++offset)
        for (unsigned width = 0; width < 9; ++width) {
            (void)device->read_config(static_cast<std::uint8_t>(offset), width);
            device->write_config(static_cast<std::uint8_t>(offset), width, 0xa5a5a5a5);
        }
    CHECK(f.bus.functions[nvme_at].resets == 0);
    CHECK(f.bus.functions[nvme_at].get(0x10) == 0xc0000004);
}

TEST_CASE("a window without room gives no device", "[assigned]") {
    Fixture f;
    BarWindow small{{0xe0000000}, 0x20000};
    CHECK_FALSE(AssignedDevice::create(f.bus, f.ethernet, small));
    BarWindow high{{0xfffffffffffff000}, 0xfff};
    CHECK_FALSE(high.take(0x10000));
}
