// SPDX-License-Identifier: Apache-2.0
// The payload of a policy bundle: canonical CBOR <-> Policy. Only for bytes whose signature was verified (bundle.hpp):
// measure first, verify, then parse. The parser accepts exactly what the encoder writes.
#pragma once

#include "hypervisor/base/bytes.hpp"
#include "policy/model/policy.hpp"

namespace casemate::policy {

/// `policy` is meaningful only on success (it is filled in place: it is too large for a boot stack).
[[nodiscard]] Status<PolicyFault> parse_policy(ByteView payload, Policy& policy);

/// Only the epoch, for the launch log of the SLB, which needs nothing else; the rest stays unread.
[[nodiscard]] Result<std::uint64_t, PolicyError> read_epoch(ByteView payload);

/// What was written of `out`, or an empty view when the policy is not valid or does not fit.
[[nodiscard]] ByteView encode_policy(const Policy& policy, ByteSpan out);

} // namespace casemate::policy
