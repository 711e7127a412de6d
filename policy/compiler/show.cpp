// SPDX-License-Identifier: Apache-2.0
// See show.hpp.
#include "policy/compiler/show.hpp"

#include "policy/compiler/pci_text.hpp"
#include "policy/compiler/words.hpp"

#include <ostream>

namespace casemate::policy {
namespace {

std::string hex(ByteView bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

void show_vm(std::ostream& out, const Vm& vm) {
    out << "vm " << vm.name.view() << ": " << word(vm.role) << ", " << vm.memory_mib
        << " MiB, core " << int{vm.core} << (vm.placement == Placement::dedicated ? " (dedicated)" : " (shared)")
        << ", weight " << vm.weight << ", at most " << int{vm.cap} << " %" << (vm.restart == Restart::warm ? ", warm restart" : "")
        << "\n   kernel " << vm.kernel.view() << ", initrd " << vm.initrd.view() << "\n   command line \""
        << vm.command_line.view() << "\"\n";
    if (vm.secret_count != 0) out << "   secrets " << listed(secret_names(vm)) << "\n";
}

void show_device(std::ostream& out, const Policy& policy, const Device& device) {
    out << "device " << to_text(device.address) << " " << id_text(device) << ": may be held by " << listed(holder_names(policy, device)) << "; rights" << (device.rights & right_dma ? " dma" : "")
        << (device.rights & right_interrupts ? " interrupts" : "") << (device.rights & right_mmio ? " mmio" : "")
        << "; lease at most " << device.max_lease << " s";
    if (device.bootstrap_lease != 0) out << ", " << device.bootstrap_lease << " s under a sealed bootstrap grant";
    out << "\n";
}

} // namespace

void show(std::ostream& out, const Policy& policy, const Bundle& bundle) {
    out << "epoch " << policy.epoch << "\nowner key " << hex(bundle.owner_key) << "\ngrant key "
        << hex(policy.grant_key) << "\n";
    for (std::size_t i = 0; i < policy.vm_count; ++i) show_vm(out, policy.vms[i]);
    for (std::size_t i = 0; i < policy.device_count; ++i) show_device(out, policy, policy.devices[i]);
    for (std::size_t i = 0; i < policy.link_count; ++i)
        out << "link " << policy.vms[policy.links[i].first].name.view() << " to "
            << policy.vms[policy.links[i].second].name.view() << "\n";
    for (std::size_t i = 0; i < policy.conflict_count; ++i)
        out << "conflict of interest between " << listed(member_names(policy, policy.conflicts[i])) << "\n";
}

} // namespace casemate::policy
