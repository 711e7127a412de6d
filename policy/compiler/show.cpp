// SPDX-License-Identifier: Apache-2.0
// See show.hpp.
#include "policy/compiler/show.hpp"

#include "dlaunch/measure/hex.hpp"
#include "policy/compiler/pci_text.hpp"
#include "policy/compiler/words.hpp"

#include <ostream>
#include <set>

namespace casemate::policy {
namespace {

void show_vm(std::ostream& out, const Vm& vm) {
    out << "vm " << vm.name.view() << ": " << word(vm.role) << ", " << vm.memory_mib
        << " MiB, core " << int{vm.core} << (vm.placement == Placement::dedicated ? " (dedicated)" : " (shared)")
        << ", weight " << vm.weight << ", at most " << int{vm.cap} << " %" << (vm.restart == Restart::warm ? ", warm restart" : "")
        << "\n   kernel " << vm.kernel.view() << ", initrd " << vm.initrd.view() << "\n   command line \""
        << vm.command_line.view() << "\"\n";
    if (vm.role != Role::client)
        out << "   at most " << int{vm.restart_limit} << " restarts in a row without " << vm.quiet_seconds << " quiet seconds\n";
    if (vm.secret_count != 0) out << "   secrets " << listed(secret_names(vm)) << "\n";
}

void show_device(std::ostream& out, const Policy& policy, const Device& device) {
    out << "device " << to_text(device.address) << " " << id_text(device) << ": may be held by " << listed(holder_names(policy, device)) << "; rights" << (device.rights & right_dma ? " dma" : "")
        << (device.rights & right_interrupts ? " interrupts" : "") << (device.rights & right_mmio ? " mmio" : "")
        << "; lease at most " << device.max_lease << " s"
        << (device.resets == all_resets ? "" : "; reset by " + listed(reset_words(device.resets)) + " only");
    if (device.bootstrap_lease != 0) out << ", " << device.bootstrap_lease << " s under a sealed bootstrap grant";
    out << "\n";
}

void show_owners(std::ostream& out, const Bundle& bundle) {
    const OwnerSet& owners = bundle.owners;
    if (owners.is_one()) {
        out << "owner key " << measure::to_hex(owners.bytes()) << "\n";
        return;
    }
    std::set<std::uint8_t> signers;
    for (std::size_t i = 0; i < bundle.message.count; ++i) signers.insert(bundle.signer(i));
    out << "owners: " << owners.threshold() << " of " << owners.count() << " sign\n";
    for (std::uint8_t place = 0; place < owners.count(); ++place)
        out << "   owner " << int{place} << ", key id " << measure::to_hex(measure::sha256(owners.key(place)))
            << (signers.contains(place) ? ": has signed\n" : ": has not signed\n");
    out << "   approval key, key id " << measure::to_hex(measure::sha256(owners.approval_key())) << "\n";
    if (const std::size_t missing = owners.threshold() - signers.size(); missing != 0)
        out << "   A DRAFT: " << missing << " of the signatures are missing\n";
}

} // namespace

void show(std::ostream& out, const Policy& policy, const Bundle& bundle) {
    out << "epoch " << policy.epoch << "\n";
    show_owners(out, bundle);
    out << "grant key " << measure::to_hex(policy.grant_key) << "\n";
    if (policy.has_next_grant_key()) out << "next grant key " << measure::to_hex(policy.next_grant_key) << "\n";
    out << "evidence at least every " << interval_words(policy) << "\nagent's TPM commands: " << listed(tpm_command_words(policy.agent_commands())) << "\n";
    for (std::size_t i = 0; i < policy.vm_count; ++i) show_vm(out, policy.vms[i]);
    for (std::size_t i = 0; i < policy.device_count; ++i) show_device(out, policy, policy.devices[i]);
    for (std::size_t i = 0; i < policy.link_count; ++i)
        out << "link " << policy.vms[policy.links[i].first].name.view() << " to "
            << policy.vms[policy.links[i].second].name.view() << "\n";
    for (std::size_t i = 0; i < policy.conflict_count; ++i)
        out << "conflict of interest between " << listed(member_names(policy, policy.conflicts[i])) << "\n";
}

} // namespace casemate::policy
