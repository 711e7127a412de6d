// SPDX-License-Identifier: Apache-2.0
// Entering a guest: VMLOAD, VMRUN, VMSAVE and the general registers around them (svm_entry.S) [APM2 15.5, 15.17].
// Invariant: GIF is 0 from before VMRUN until the host's own FS, GS, TR are back, so an NMI always finds host state.
#pragma once

#include <cstdint>

namespace casemate::arch {

/// In the order that instructions number them; slots 0 (RAX) and 4 (RSP) are unused, the VMCB holds those.
struct GuestRegisters {
    std::uint64_t r[16];
};

/// EFER.SVME, VM_HSAVE_PA for this core; false if the processor has no SVM or no nested paging.
[[nodiscard]] bool enable_svm(std::uint64_t host_save_page);

/// Both VMCBs by physical address; `host` keeps this core's VMSAVE state. Interrupts are off before and after.
extern "C" void svm_run(std::uint64_t guest_vmcb, GuestRegisters* registers, std::uint64_t host_vmcb);
/// Stores FS, GS, TR, LDTR and the system-call registers of the host.
extern "C" void svm_save_host(std::uint64_t host_vmcb);

} // namespace casemate::arch
