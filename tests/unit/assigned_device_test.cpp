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
    hw::PciFunction nvme, ethernet, virtio;
    BarWindow window{{0xe0000000}, 0x1000000};
    Fixture() {
        bus.functions[nvme_at] = model_nvme();
        bus.functions[ethernet_at] = model_ethernet();
        bus.functions[virtio_at] = model_virtio();
        nvme = hw::probe(bus, nvme_at).value();
        ethernet = hw::probe(bus, ethernet_at).value();
        virtio = hw::probe(bus, virtio_at).value();
    }
};

/// Where the guest finds a capability, and its identifier.
using Chain = std::vector<std::pair<unsigned, unsigned>>;

Chain chain_of(AssignedDevice& device) {
    Chain chain;
    for (std::uint32_t at = device.read_config(0x34, 1); at != 0 && chain.size() < 20;
         at = device.read_config(static_cast<std::uint8_t>(at + 1), 1))
        chain.emplace_back(at, device.read_config(static_cast<std::uint8_t>(at), 1));
    return chain;
}

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
    CHECK(chain_of(*device) == Chain{{0x60, 0x01}, {0x70, 0x05}, {0x80, 0x10}, {0x40, 0x11}});
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

TEST_CASE("a device is in use from the first time that it may decode or do DMA, until it gets a new guest", "[assigned]") {
    Fixture f;
    auto device = AssignedDevice::create(f.bus, f.nvme, f.window);
    device->write_config(0x10, 4, ~0u);
    device->write_config(4, 2, 1 << 10);
    CHECK_FALSE(device->in_use());
    const auto command = GENERATE(std::uint16_t{2}, std::uint16_t{4});
    device->write_config(4, 2, command);
    device->write_config(4, 2, 0);
    CHECK(device->in_use());
    device->restart();
    CHECK_FALSE(device->in_use());
}

TEST_CASE("a guest's cache line size is its own to see, until the next guest starts", "[assigned]") {
    Fixture f;
    auto device = AssignedDevice::create(f.bus, f.nvme, f.window);
    f.bus.functions[nvme_at].put(0x0c, 0x0080'4020);
    f.bus.writes.clear();
    device->write_config(0x0c, 1, 0x10);
    CHECK(device->read_config(0x0c, 4) == 0x4010);
    device->restart();
    CHECK(device->read_config(0x0c, 1) == 0);
    CHECK(f.bus.writes.empty());
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

TEST_CASE("a message with any address and data reaches a function that has MSI and no MSI-X", "[assigned]") {
    Fixture f; // interrupt remapping decides what becomes of it
    auto device = AssignedDevice::create(f.bus, f.ethernet, f.window);
    REQUIRE(device);
    CHECK(chain_of(*device) == Chain{{0xd0, 0x05}});
    device->write_config(0xd4, 4, 0xfee01000);
    device->write_config(0xdc, 2, 0x0041);
    device->write_config(0xd2, 2, 0x0001);
    const ModelFunction& function = f.bus.functions[ethernet_at];
    CHECK(function.get(0xd4) == 0xfee01000);
    CHECK((function.get(0xdc) & 0xffff) == 0x0041);
    CHECK(function.get(0xd0) == 0x0081'0005);
    f.bus.writes.clear();
    device->write_config(0xde, 2, 0xffff); // behind the capability: 64-bit address, no masks
    device->write_config(0xe0, 4, 0xffffffff);
    CHECK(f.bus.writes.empty());
}

TEST_CASE("vendor-specific capabilities can be read and not written", "[assigned]") {
    Fixture f;
    auto device = AssignedDevice::create(f.bus, f.virtio, f.window);
    REQUIRE(device);
    CHECK(chain_of(*device) ==
          Chain{{0x98, 0x11}, {0x84, 0x09}, {0x70, 0x09}, {0x60, 0x09}, {0x50, 0x09}, {0x40, 0x09}});
    CHECK(device->read_config(0x48, 4) == 0x1000);
    CHECK(device->read_config(0x94, 4) == 0x12345678);
    f.bus.writes.clear();
    for (unsigned offset = 0x40; offset < 0x98; offset += 4)
        device->write_config(static_cast<std::uint8_t>(offset), 4, 0xffffffff);
    CHECK(f.bus.writes.empty());
}

TEST_CASE("a vendor-specific capability neither passes the end of configuration space nor hides another", "[assigned]") {
    Fixture f;
    ModelFunction& liar = f.bus.functions[nvme_at];
    liar.put(0x81, 0x7c, 1); // the last one, express, is now followed by one that covers everything behind 0x7c
    liar.put(0x7c, 0x00ff'0009);
    f.nvme = hw::probe(f.bus, nvme_at).value();
    auto device = AssignedDevice::create(f.bus, f.nvme, f.window);
    REQUIRE(device);
    CHECK((device->read_config(0x84, 4) & 1u << 28) == 0); // still no FLR for the guest
    CHECK(device->read_config(0xfc, 4) == 0);
    liar.put(0xfc, 0x55aa);
    CHECK(device->read_config(0xfc, 4) == 0x55aa);
}

TEST_CASE("no function makes the list of vendor-specific capabilities longer than its room", "[assigned]") {
    Fixture f;
    ModelFunction& many = f.bus.functions[virtio_at];
    for (unsigned i = 0; i < 20; ++i)
        many.put(0x40 + 8 * i, 0x0000'0009 | (i == 19 ? 0 : 0x48 + 8 * i) << 8 | 8 << 16);
    many.put(0x34, 0x40, 1);
    f.virtio = hw::probe(f.bus, virtio_at).value();
    auto device = AssignedDevice::create(f.bus, f.virtio, f.window);
    REQUIRE(device);
    CHECK(chain_of(*device).size() == f.virtio.capability.vendor_specific.size());
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
