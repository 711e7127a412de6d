// SPDX-License-Identifier: Apache-2.0
// Reference values of one build (reference.json), as the appraiser wants them. Views: the owner keeps the bytes.
// Several sets may be accepted at once (roll-out of a new build); evidence must match one of them wholly.
#pragma once

#include "attest/appraise/key_register.hpp"
#include "dlaunch/measure/custody_types.hpp"
#include "dlaunch/measure/crypto.hpp"
#include "policy/model/policy.hpp"

#include <optional>
#include <span>

namespace casemate::attest {

struct ReferenceVm {
    std::string_view name;
    ByteView definition; // encoded VmDefinition; vm_id is its digest
};

/// What the firmware may have measured into one of PCR 0-7. Each list has digests of several banks; of every quoted bank at least
/// one must be there, and one of them must be seen.
struct FirmwarePcrReference {
    std::uint32_t pcr = 0;
    std::span<const measure::Digest> values{};                   // of the PCR in the end; empty: not compared
    std::span<const std::span<const measure::Digest>> events{};  // that extended it, in their order; empty: not compared
};

struct ReferenceSet {
    std::string_view name; // for messages
    std::uint64_t slb_length = 0;
    measure::DigestSet slb; // one digest for each bank that may be quoted
    std::uint64_t hypervisor_size = 0;
    measure::DigestSet hypervisor;
    ByteView owner_key;                      // as measured: one key, or a set of owners (policy/model/owner_set.hpp)
    std::uint64_t policy_size = 0;
    measure::DigestSet policy_digest;        // of the raw signed bundle
    const policy::Policy* policy = nullptr;  // parsed from that bundle, its signature verified
    std::span<const KeyId> signers{};        // whose signatures that bundle has
    std::span<const KeyId> grant_keys{};     // that the policy names
    std::span<const ReferenceVm> vms;        // in policy order
    std::span<const FirmwarePcrReference> firmware{}; // empty: firmware is not compared
    std::uint64_t not_before = 0; // milliseconds since the Unix epoch, as not_after; 0 = no limit
    std::uint64_t not_after = 0;
};

/// What holds for every set: the verifier's time, in the unit above, the fleet's least policy epoch, which keys count, and the key
/// that this verifier signs grants with.
struct ReferenceRules {
    std::uint64_t now = 0;
    std::uint64_t minimum_epoch = 0;
    std::span<const RegisteredKey> keys{};
    std::optional<KeyId> grant_key{};
};

} // namespace casemate::attest
