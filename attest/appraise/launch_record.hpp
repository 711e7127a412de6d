// SPDX-License-Identifier: Apache-2.0
// The fixed beginning of every log: the four launch events, `launched` and one `vm_defined` for each VM, as values.
#pragma once

#include "attest/appraise/log_walker.hpp"

namespace casemate::attest {

struct LaunchRecord {
    measure::SlbEvent slb;
    measure::DigestSet slb_digests;
    measure::HypervisorEvent hypervisor;
    measure::DigestSet hypervisor_digests;
    measure::OwnerKeyEvent owner_key;
    measure::PolicyEvent policy;
    measure::DigestSet policy_digests;
    measure::LaunchId launch_id{};
    launch::LaunchKind launch_kind = launch::LaunchKind::unmeasured;
    FixedList<ByteView, policy::max_vms> vm_definitions; // encoded, in log order
};

/// Reads it and leaves the walker at the first custody entry. False, and a reason, when the grammar is broken.
[[nodiscard]] bool read_launch_record(LogWalker& walker, LaunchRecord& record, Reasons& reasons);

/// The launch id that the log claims, before anything is proved; zero when there is none.
[[nodiscard]] measure::LaunchId claimed_launch_id(ByteView log);

} // namespace casemate::attest
