// SPDX-License-Identifier: Apache-2.0
// The agent's status report (docs/interfaces/relay.md) in words: VMs, their exits a second, devices, leases and links.
// UNTRUSTED input: whatever has not the type that is expected becomes null, nothing throws. For display only; who holds what is
// proved by the quoted ledger.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <deque>

namespace casemate::session {

/// Null unless it is there: what could not be learned is never invented.
[[nodiscard]] nlohmann::json member(const nlohmann::json& object, const char* key);
/// An empty array unless it is there and an array.
[[nodiscard]] nlohmann::json array_member(const nlohmann::json& object, const char* key);

/// [{name, vm_id, state, memory_mib, starts, stop_cause, exits}], states as words.
[[nodiscard]] nlohmann::json vm_list(const nlohmann::json& status);
/// [{location, id, class, state, holder, grant_id, lease_ms_left, reset_kind, tainted_by}], the holder by its name.
[[nodiscard]] nlohmann::json device_list(const nlohmann::json& status);
/// [{vm, peer, state, refusal, counts, drops}], two for each link: what `vm` has sent to `peer`.
[[nodiscard]] nlohmann::json link_end_list(const nlohmann::json& status);

/// Remembers what is needed to tell how fast a counter grows.
class LiveReport {
public:
    /// A status report that differs from the one before.
    void take(const nlohmann::json& status);
    [[nodiscard]] bool empty() const { return recent_.empty(); }
    /// Not while empty(). {uptime_ms, vms, devices, link_ends, agent}: the lists above, each VM with `devices`, `exits_per_second` and `cpu_share`, each
    /// end with `counts_per_second`; docs/interfaces/operator.md.
    [[nodiscard]] nlohmann::json view() const;

private:
    std::deque<nlohmann::json> recent_; // oldest first; the first is what the rates are measured from
};

} // namespace casemate::session
