// SPDX-License-Identifier: Apache-2.0
// What happens when a guest leaves guest mode. Every exit is UNTRUSTED input: the outcome is an emulated effect, an
// exception for the guest, or the end of that VM with a numbered reason; never anything else.
// Called by Cpu after each entry, on the VM's core, interrupts off.
#pragma once

namespace casemate::core {

class Vcpu;

/// Dispatches on the VMCB's exit code.
void handle_exit(Vcpu& vcpu);

// One handler for each family, in a file of its own.
void handle_cpuid(Vcpu& vcpu);
[[gnu::hot]] void handle_msr(Vcpu& vcpu);
void handle_port(Vcpu& vcpu);
void handle_nested_fault(Vcpu& vcpu);

} // namespace casemate::core
