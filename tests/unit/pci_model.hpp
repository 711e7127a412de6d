// SPDX-License-Identifier: Apache-2.0
// A model of configuration space for the tests of hypervisor/hw and hypervisor/devices: an NVMe-like function
// with a 64-bit BAR, power management, MSI, PCI Express with FLR and MSI-X; an Ethernet one without reset; a
// virtio one; one that has nothing but INTx; a bridge.
#pragma once

#include "hypervisor/hw/clock.hpp"
#include "hypervisor/hw/pci_function.hpp"

#include <cstring>
#include <map>
#include <vector>

namespace casemate::testing {

struct ModelFunction {
    std::array<std::uint8_t, 256> value{};
    std::array<std::uint8_t, 256> writable{};
    bool comes_back = true;
    bool busy = false;
    int resets = 0;
    std::uint8_t express = 0;

    void put(std::size_t offset, std::uint32_t v, unsigned width = 4) {
        std::memcpy(&value[offset], &v, width);
    }
    void allow(std::size_t offset, std::uint32_t mask, unsigned width = 4) {
        std::memcpy(&writable[offset], &mask, width);
    }
    std::uint32_t get(std::size_t offset) const {
        std::uint32_t v;
        std::memcpy(&v, &value[offset], 4);
        return v;
    }
};

struct ModelPci final : hw::PciBus {
    std::map<DeviceAddress, ModelFunction> functions;
    std::vector<std::pair<std::uint8_t, std::uint32_t>> writes; // of every function, in order

    std::uint32_t read32(DeviceAddress at, std::uint8_t offset) override {
        REQUIRE(offset % 4 == 0);
        const auto f = functions.find(at);
        return f == functions.end() ? ~0u : f->second.get(offset);
    }
    void write32(DeviceAddress at, std::uint8_t offset, std::uint32_t v) override {
        REQUIRE(offset % 4 == 0);
        writes.emplace_back(offset, v);
        const auto found = functions.find(at);
        if (found == functions.end())
            return;
        ModelFunction& f = found->second;
        std::uint32_t mask;
        std::memcpy(&mask, &f.writable[offset], 4);
        f.put(offset, (f.get(offset) & ~mask) | (v & mask));
        if (f.express && offset == f.express + 8 && (v & 1 << 15))
            reset(f);
    }

private:
    static void reset(ModelFunction& f) {
        ++f.resets;
        if (!f.comes_back)
            f.put(0, ~0u);
        f.put(4, 0, 2);
        for (std::size_t bar = 0; bar < 6; ++bar)
            f.value[0x10 + 4 * bar + 2] = f.value[0x10 + 4 * bar + 3] = 0;
    }
};

inline ModelFunction model_function(std::uint32_t id, std::uint32_t class_code) {
    ModelFunction f;
    f.put(0x00, id);
    f.put(0x04, 0x0010'0006);
    f.allow(0x04, 0x0000'0407);
    f.put(0x08, class_code << 8 | 2);
    return f;
}

/// 16 KiB 64-bit BAR at 0xC0000000; MSI-X at 0x40, power at 0x60, MSI at 0x70, PCI Express at 0x80.
inline ModelFunction model_nvme() {
    ModelFunction f = model_function(0x0010'1b36, 0x010802);
    f.put(0x10, 0xc000'0004);
    f.allow(0x10, 0xffff'c000);
    f.allow(0x14, 0xffff'ffff);
    f.put(0x2c, 0x1100'1af4);
    f.put(0x34, 0x40, 1);
    f.put(0x40, 0x0040'6011);
    f.allow(0x40, 0xc000'0000);
    f.put(0x44, 0x2000);
    f.put(0x60, 0x0003'7001);
    f.allow(0x64, 0x3);
    f.put(0x70, 0x0080'8005);
    f.allow(0x70, 0x0071'0000);
    f.allow(0x74, ~0u);
    f.allow(0x78, ~0u);
    f.allow(0x7c, 0xffff);
    f.put(0x80, 0x0002'0010);
    f.put(0x84, 0x1000'8000);
    f.allow(0x88, 0x0000'7fff);
    f.express = 0x80;
    return f;
}

/// Two 32-bit memory BARs, one I/O BAR, MSI, no PCI Express capability, so no reset.
inline ModelFunction model_ethernet() {
    ModelFunction f = model_function(0x10d3'8086, 0x020000);
    f.put(0x10, 0xc002'0000);
    f.allow(0x10, 0xfffe'0000);
    f.put(0x14, 0xc004'0000);
    f.allow(0x14, 0xfffe'0000);
    f.put(0x18, 0x0000'6001);
    f.allow(0x18, 0xffff'ffe0);
    f.put(0x34, 0xd0, 1);
    f.put(0xd0, 0x0080'0005);
    f.allow(0xd0, 0x0071'0000);
    f.allow(0xd4, ~0u);
    f.allow(0xd8, ~0u);
    f.allow(0xdc, 0xffff);
    return f;
}

/// One 64-bit BAR; MSI-X at 0x98, vendor-specific capabilities as virtio's at 0x84, 0x70, 0x60, 0x50 and 0x40.
inline ModelFunction model_virtio() {
    ModelFunction f = model_function(0x1041'1af4, 0x020000);
    f.put(0x10, 0xc006'0004);
    f.allow(0x10, 0xffff'c000);
    f.allow(0x14, ~0u);
    f.put(0x34, 0x98, 1);
    f.put(0x98, 0x0003'8411);
    f.allow(0x98, 0xc000'0000);
    f.put(0x84, 0x0514'7009); // configuration access: a window into the BAR, 20 bytes
    f.allow(0x88, ~0u);
    f.allow(0x94, ~0u);
    f.put(0x94, 0x1234'5678);
    f.put(0x70, 0x0214'6009);
    f.put(0x60, 0x0410'5009);
    f.put(0x50, 0x0310'4009);
    f.put(0x40, 0x0110'0009);
    f.put(0x48, 0x1000);
    return f;
}

/// INTx only: an I/O BAR, a memory BAR of 256 bytes, neither capabilities nor a reset.
inline ModelFunction model_line_ethernet() {
    ModelFunction f = model_function(0x8139'10ec, 0x020000);
    f.put(0x04, 0x0000'0007);
    f.put(0x10, 0x0000'6101);
    f.allow(0x10, 0xffff'ff00);
    f.put(0x14, 0xc008'0000);
    f.allow(0x14, 0xffff'ff00);
    f.put(0x3c, 0x0000'010b);
    return f;
}

struct StepClock final : hw::Clock {
    mutable std::uint64_t time = 0;
    hw::Micros now() const override { return {time += 10}; }
};

inline constexpr DeviceAddress nvme_at{.device = 4};
inline constexpr DeviceAddress ethernet_at{.device = 3};
inline constexpr DeviceAddress virtio_at{.device = 5};
inline constexpr DeviceAddress line_at{.device = 9}, other_line_at{.device = 13};

} // namespace casemate::testing
