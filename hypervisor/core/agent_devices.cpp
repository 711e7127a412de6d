// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/agent_devices.hpp"

namespace casemate::core {

namespace {

// Inside the PCI windows that a VM's ACPI announces; BARs of assigned devices lie above
// (device_inventory.hpp).
constexpr GuestPhys control_window{0xd0000000};
constexpr std::uint16_t control_port = 0xc000;

// SAFETY: a window of the VM, TCB-mapped at its own address.
ByteSpan bytes_of(HostRange range) { return {reinterpret_cast<std::uint8_t*>(range.base.value), range.size}; }

} // namespace

AgentDevices* AgentDevices::create(Machine& machine, Vm& agent, const policy::Policy& policy, devices::AgentTpm& tpm,
                                   devices::ControlOperations& operations) {
    if (agent.core().index() != 0) return nullptr;
    auto* const made = machine.tcb_memory().make<AgentDevices>();
    if (made == nullptr || !made->add_crb(machine, agent, policy, tpm)) return nullptr;
    if (!made->add_control(machine, agent, operations)) return nullptr;
    agent.platform().acpi.extra = made->tables_;
    return made;
}

bool AgentDevices::add_crb(Machine& machine, Vm& agent, const policy::Policy& policy, devices::AgentTpm& tpm) {
    using devices::TpmCrb;
    const auto registers = agent.allocate_window(TpmCrb::page);
    const auto buffer = agent.allocate_window(TpmCrb::page);
    if (!registers || !buffer) return false;
    crb_ = machine.tcb_memory().make<TpmCrb>(bytes_of(*registers), bytes_of(*buffer), policy.agent_commands(), tpm);
    auto& table = agent.page_table();
    return crb_ != nullptr && table.map_window({TpmCrb::base}, *registers, mm::Access::read_only).ok() &&
           table.map_window({TpmCrb::base + TpmCrb::page}, *buffer, mm::Access::read_write).ok() &&
           agent.bus().memory.add(TpmCrb::base, TpmCrb::page, *crb_);
}

bool AgentDevices::add_control(Machine& machine, Vm& agent, devices::ControlOperations& operations) {
    using devices::ControlDevice;
    const auto window = agent.allocate_window(ControlDevice::window_size);
    if (!window) return false;
    control_ = machine.tcb_memory().make<ControlDevice>(bytes_of(*window), control_window, control_port, operations);
    return control_ != nullptr &&
           agent.page_table().map_window(control_window, *window, mm::Access::read_write).ok() &&
           agent.bus().ports.add(control_port, ControlDevice::port_count, *control_) &&
           agent.pci().attach(ControlDevice::pci_device, ControlDevice::pci_function, *control_);
}

void AgentDevices::reset() {
    crb_->reset();
    control_->reset();
}

} // namespace casemate::core
