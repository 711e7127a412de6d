// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/slb/iommu_search.hpp"

#include "hypervisor/hw/amdvi_registers.hpp"

namespace casemate::slb {

namespace {

namespace cap = hw::amdvi::capability;

/// Offset of the IOMMU capability, 0 when the function has none. UNTRUSTED list: at most 48 capabilities fit.
std::uint8_t find_capability(hw::PciBus& bus, DeviceAddress function) {
    constexpr unsigned most = 48;
    constexpr std::uint8_t first_possible = 0x40;
    if (bus.read32(function, hw::pci::class_revision) >> 8 != cap::class_code) return 0;
    if (!(bus.read32(function, hw::pci::command) & hw::pci::status_capabilities)) return 0;
    std::uint8_t at = bus.read8(function, hw::pci::capabilities) & 0xfc;
    for (unsigned i = 0; i < most && at >= first_possible; ++i) {
        const std::uint32_t header = bus.read32(function, at);
        if ((header & 0xff) == cap::id && (header >> cap::type_shift & cap::type_mask) == cap::type_iommu) return at;
        at = header >> 8 & 0xfc;
    }
    return 0;
}

HostRange enable_registers(hw::PciBus& bus, DeviceAddress function, std::uint8_t capability) {
    const auto low_at = static_cast<std::uint8_t>(capability + cap::base_low);
    const auto high_at = static_cast<std::uint8_t>(capability + cap::base_high);
    const std::uint32_t low = bus.read32(function, low_at);
    const std::uint64_t high = bus.read32(function, high_at);
    bus.write32(function, low_at, low | cap::base_enable);
    return {{high << 32 | (low & cap::base_low_mask)}, hw::amdvi::block_size};
}

} // namespace

Result<HostRange, SearchError> find_iommu(hw::PciBus& bus) {
    unsigned found = 0;
    HostRange registers;
    hw::enumerate(bus, [&](DeviceAddress function) {
        const std::uint8_t capability = find_capability(bus, function);
        if (capability == 0) return;
        registers = enable_registers(bus, function, capability);
        ++found;
    });
    if (found > 1) return Failure{SearchError::several};
    if (found == 0 || registers.base.value == 0) return Failure{SearchError::none};
    return registers;
}

} // namespace casemate::slb
