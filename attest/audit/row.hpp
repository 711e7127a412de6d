// SPDX-License-Identifier: Apache-2.0
// A row of the audit trail and the chain over the rows (docs/interfaces/audit.md).
// Invariant: a row's hash covers the hash before it, its sequence number and every field, in one encoding only, so no
// row can be changed, removed, added or moved without changing every later hash.
// Called by attest/store when a row is appended, and by the offline check.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "hypervisor/base/bytes.hpp"

namespace casemate::audit {

inline constexpr std::size_t max_word = 128;    // actor, action, object, outcome: ids are at most 64
inline constexpr std::size_t max_detail = 1024;

using Hash = std::array<std::uint8_t, 32>; // SHA-256

/// What was decided. Printable ASCII only once it is in the trail.
struct Row {
    std::int64_t at = 0; // milliseconds since the Unix epoch
    std::string actor;   // platform id, "operator" or "verifier"
    std::string action;
    std::string object;
    std::string outcome;
    std::string detail;
};

/// The newest row of a trail: sequence 0 and a zero hash when there is none yet.
struct Head {
    std::int64_t sequence = 0;
    Hash hash{};
};

struct ChainedRow {
    std::int64_t sequence = 0; // 1, 2, 3, ... without gaps
    Row row;
    Hash hash{};
};

/// SHA-256(previous || deterministic CBOR [sequence, at, actor, action, object, outcome, detail]).
[[nodiscard]] Hash row_hash(const Hash& previous, std::int64_t sequence, const Row& row);

/// The row as it goes into a trail: every byte outside printable ASCII becomes '?', fields are cut at their limits.
[[nodiscard]] Row clean(Row row);
[[nodiscard]] bool is_clean(const Row& row);

/// The row, cleaned, as the one after `head`; moves `head` to it.
[[nodiscard]] ChainedRow chain(Head& head, Row row);

} // namespace casemate::audit
