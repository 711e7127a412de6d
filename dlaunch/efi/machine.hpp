// SPDX-License-Identifier: Apache-2.0
// The machine itself, beside the firmware: what it must have before a launch, and how it is made quiet for SKINIT
// [APM2 15.27.4, 15.27.8]. The first two need nothing; the others only after boot services were left.
#pragma once

#include "dlaunch/efi/refusal.hpp"
#include "hypervisor/base/address.hpp"
#include "hypervisor/base/result.hpp"

namespace casemate::efi {

/// SVM, SKINIT, and SVM not locked off.
Status<RefusalKind> check_processor();
/// A TPM answers at the FIFO interface's fixed address.
[[nodiscard]] bool tpm_answers();

/// The firmware's locality 0 is given up, so that the SLB gets locality 2 without seizing it.
void release_tpm_locality();
/// No function starts DMA: bridges do not forward it, devices do not master the bus. [PCI 3.0 6.2.2]
void stop_bus_masters();
/// INIT to every other processor, and the time that they need to stop. [APM2 15.27.8] One that the firmware parked in
/// HLT takes the INIT at once on hardware; in QEMU it stays halted with the INIT pending until a SIPI comes.
void stop_processors();
/// Does not return: the processor goes on in the SLB.
[[noreturn]] void skinit(HostPhys slb);

} // namespace casemate::efi
