// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/device_slot.hpp"

#include "hypervisor/base/check.hpp"
#include "hypervisor/core/cpu.hpp"
#include "hypervisor/core/log.hpp"
#include "hypervisor/core/log_device.hpp"

namespace casemate::core {

namespace {

/// 0 is nobody's: it stands for requesters without DMA.
hw::DomainId domain_of(const Vm& vm) { return {static_cast<std::uint16_t>(vm.index() + 1)}; }

hw::VectorWindow window_of(Vm& vm) {
    const VectorWindow& vectors = vm.vectors();
    return {.guest_first = vectors.guest_first,
            .host_first = vectors.host_first,
            .count = vectors.count,
            .apic_id = vm.core().apic_id()};
}

} // namespace

bool DeviceSlot::place(devices::BarWindow& window) {
    view_ = devices::AssignedDevice::create(buses_.pci, function_, window);
    return view_.has_value();
}

/// An IOMMU that no longer answers isolates nothing that we could vouch for: stop the machine.
void DeviceSlot::require(const Status<hw::IommuError>& status) const { CHECK(status.ok()); }

// ORDER: everything that the device may reach is in place before its table entry permits it, bus master comes
// last (the guest's driver switches it on) [docs/architecture.md, device custody].
bool DeviceSlot::attach(Vm& vm) {
    CHECK(fenced_ && holder_ == nullptr);
    const DeviceAddress address = function_.address;
    holder_ = &vm;
    hw::disable_msix(buses_.pci, function_);
    view_->restart();
    if (address.bus != 0 || !map_bars(vm) || !vm.pci().attach(address.device, address.function, *view_)) {
        LogLine{"@cm event=attach_failed"}.key("device", DeviceName{address}.view()).key("vm", vm.name());
        release();
        return false;
    }
    interrupts_.open(window_of(vm));
    fenced_ = false;
    require(buses_.iommu.attach({address.requester_id()},
                                {.page_table = vm.page_table().root(),
                                 .levels = Vm::PageTable::levels,
                                 .domain = domain_of(vm),
                                 .interrupt_table = HostPhys{reinterpret_cast<std::uintptr_t>(&interrupts_)},
                                 .interrupt_table_log2 = hw::InterruptTable::log2_entries}));
    return true;
}

bool DeviceSlot::map_bars(Vm& vm) {
    bool mapped = true;
    view_->for_each_bar([&](GuestPhys at, HostRange range) {
        mapped = mapped && vm.page_table().map_device(at, range, mm::Access::read_write).ok();
    });
    return mapped;
}

bool DeviceSlot::take_interrupt() {
    const auto claim = view_->take_interrupt();
    if (claim == devices::AssignedDevice::Claim::interrupt && !fenced_) pass_interrupt();
    return claim != devices::AssignedDevice::Claim::none;
}

bool DeviceSlot::tend_interrupt() {
    if (view_->renew_interrupts() && !fenced_) pass_interrupt();
    return function_.intx && !fenced_;
}

void DeviceSlot::pass_interrupt() { holder_->raise_line(devices::PciBus::interrupt_pin(function_.address.device)); }

// ORDER: bus master off, then the entry, then the interrupts, and only after the wait may anybody rely on it.
void DeviceSlot::fence() {
    view_->shut_line();
    hw::quiesce(buses_.pci, function_);
    if (fenced_) return;
    require(buses_.iommu.detach({function_.address.requester_id()}, domain_of(*holder_)));
    interrupts_.close();
    fenced_ = true;
}

void DeviceSlot::release() {
    CHECK(fenced_);
    if (holder_ == nullptr) return;
    holder_->pci().detach(function_.address.device, function_.address.function);
    view_->for_each_bar([&](GuestPhys at, HostRange range) { holder_->page_table().unmap(at, range.size); });
    holder_->vcpu().request_tlb_flush();
    holder_ = nullptr;
}

bool DeviceSlot::start_reset() {
    CHECK(fenced_);
    auto started = hw::FunctionReset::start(buses_.pci, buses_.clock, function_);
    if (!started.ok()) return false;
    reset_.emplace(std::move(started).value());
    return true;
}

DeviceSlot::Reset DeviceSlot::step_reset() {
    CHECK(reset_.has_value());
    switch (reset_->step()) {
    case hw::FunctionReset::State::done: reset_.reset(); return Reset::worked;
    case hw::FunctionReset::State::failed: reset_.reset(); return Reset::failed;
    default: return Reset::running;
    }
}

} // namespace casemate::core
