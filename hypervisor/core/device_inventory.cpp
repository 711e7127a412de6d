// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/device_inventory.hpp"

#include "hypervisor/core/log.hpp"
#include "hypervisor/core/log_device.hpp"
#include "hypervisor/hw/pci_placement.hpp"

namespace casemate::core {

namespace {

constexpr std::uint64_t iommu_block_size = 0x4000; // [AMDVI 3.4]

HostRange range_of(const launch::Extent& extent) { return {{extent.base}, extent.size}; }

constexpr std::string_view refusal_names[] = {"missing", "other_identity", "bridge", "placement", "no_room", "reset_kind"};

} // namespace

void DeviceInventory::build(Machine& machine, HostBuses& buses, const policy::Policy& policy) {
    survey(buses.pci);
    for (std::size_t i = 0; i < policy.device_count; ++i) {
        const policy::Device& rule = policy.devices[i];
        const auto slot = make_slot(machine, buses, rule);
        if (!slot.ok()) {
            LogLine{"@cm event=device_refused"}.key("device", DeviceName{rule.address}.view())
                .key("reason", refusal_names[static_cast<std::size_t>(slot.error())]);
            continue;
        }
        slots_[i] = slot.value();
        LogLine{"@cm event=device_found"}.key("device", DeviceName{rule.address}.view())
            .key_hex("bar0", slots_[i]->function().bar[0].range.base.value)
            .key("reset_kind", static_cast<unsigned>(slots_[i]->reset_kind()));
    }
}

void DeviceInventory::survey(hw::PciBus& pci) {
    hw::enumerate(pci, [&](DeviceAddress address) {
        const auto function = hw::probe(pci, address); // silences it
        if (!function.ok()) return;
        for (const hw::PciBar& bar : function.value().bar) {
            if (bar.range.size == 0) continue;
            complete_ = complete_ && bar_count_ < max_bars;
            if (complete_) bars_[bar_count_++] = {address, bar.range};
        }
    });
}

Result<DeviceSlot*, DeviceInventory::Refusal> DeviceInventory::make_slot(Machine& machine, HostBuses& buses,
                                                                         const policy::Device& rule) {
    if (rule.address.segment != 0) return Failure{Refusal::missing};
    const auto probed = hw::probe(buses.pci, rule.address);
    if (!probed.ok()) return Failure{Refusal::missing};
    const hw::PciFunction& function = probed.value();
    if (function.identity.vendor != rule.vendor || function.identity.device != rule.device_id)
        return Failure{Refusal::other_identity};
    if (function.bridge) return Failure{Refusal::bridge};
    if (!placed_well(machine, function)) return Failure{Refusal::placement};
    auto* const interrupts = machine.tcb_memory().make<hw::InterruptTable>();
    if (interrupts == nullptr) return Failure{Refusal::no_room};
    auto* const slot = machine.tcb_memory().make<DeviceSlot>(buses, function, *interrupts);
    if (slot == nullptr || !slot->place(window_)) return Failure{Refusal::no_room};
    if (!rule.accepts_reset(static_cast<std::uint8_t>(slot->reset_kind()))) return Failure{Refusal::reset_kind};
    return slot;
}

bool DeviceInventory::placed_well(Machine& machine, const hw::PciFunction& function) const {
    if (!complete_) return false;
    const launch::BootInfo& boot = machine.boot();
    const auto clear_of = [&](HostRange range) { return hw::check_placement(function, {&range, 1}).ok(); };
    if (!clear_of({{boot.iommu_base}, iommu_block_size})) return false;
    for (std::size_t i = 0; i < boot.memory_range_count; ++i)
        if (!clear_of(range_of(boot.memory[i].bytes))) return false;
    for (std::size_t i = 0; i < bar_count_; ++i)
        if (bars_[i].owner != function.address && !clear_of(bars_[i].range)) return false;
    return true;
}

} // namespace casemate::core
