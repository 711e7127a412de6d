// SPDX-License-Identifier: Apache-2.0
// Measures what the hypervisor will be and by whose authority, into PCR 17 and 18 and the log, in the order of
// docs/interfaces/ledger.md (events 1 to 4). Invariant: raw bytes are measured before anything in them is believed;
// an event is in the log if and only if it is in the PCR. Called once, with the files in TCB memory.
#pragma once

#include "dlaunch/measure/launch_layout.hpp"
#include "dlaunch/slb/tpm.hpp"

namespace casemate::slb {

struct LaunchMaterial {
    ByteView slb;        // as SKINIT measured it
    ByteView hypervisor; // raw ELF file
    ByteView policy;     // raw signed bundle
    ByteSpan log;
};

/// Fills kind, banks, log_used, policy, policy_digest and owner_key of `info`.
Status<LaunchFailure> measure_launch(Tpm& tpm, const LaunchMaterial& material, launch::BootInfo& info);

} // namespace casemate::slb
