// SPDX-License-Identifier: Apache-2.0
// What the verifier remembers. Plain rows; ids are lower-case hex, times are milliseconds since the Unix epoch.
// Secrets and tokens are kept as SHA-256 only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attest/audit/row.hpp"

namespace casemate::store {

using Blob = std::vector<std::uint8_t>;

using Millis = std::int64_t;

/// TPMS_CLOCK_INFO as last seen in accepted evidence [TPM2-P2 10.11.1].
struct ClockInfo {
    std::int64_t clock = 0;
    std::int64_t reset_count = 0;
    std::int64_t restart_count = 0;
    [[nodiscard]] bool operator==(const ClockInfo&) const = default;
};

/// Who a platform is. ek_public and ak_public are TPMT_PUBLIC bytes; immutable once bound.
struct Identity {
    std::string platform_id; // SHA-256 of ek_public
    Blob ek_public;
    Blob ak_public;
    Blob ek_certificate;     // DER, may be empty for an allow-listed EK
    std::string banks;       // comma-separated, as active at enrolment
};

struct Enrolment {
    std::string id;
    Identity identity;
    Blob secret_hash;
    Millis expires_at = 0;
};

struct Platform {
    Identity identity;
    Blob token_hash;
    Millis token_expires_at = 0;
    Millis enrolled_at = 0;
    std::optional<ClockInfo> last_clock;
    Millis last_attested_at = 0; // last affirming verdict, 0 = never
    std::string last_verdict;    // empty = no evidence yet
    bool rebinding_allowed = false;
    std::string state = "active"; // or "quarantined", "retired"
    Millis silent_since = 0;      // when the alarm for its silence was raised, 0 = it is not silent
};

/// What of a platform tells whether it is silent.
struct Presence {
    std::string id;
    std::string state;
    Millis enrolled_at = 0;
    Millis last_attested_at = 0;
    Millis silent_since = 0;

    /// The last time that it showed what it is; a platform that never did is counted from its enrolment.
    [[nodiscard]] Millis last_seen() const { return last_attested_at != 0 ? last_attested_at : enrolled_at; }
};

/// Of a part of the grants, in the order of insertion.
struct LeaseCount {
    std::int64_t live = 0;     // not revoked, the lease runs
    std::int64_t expiring = 0; // of these: more than half of the lease is over
    std::int64_t next = 0;     // the following part begins behind this; 0 = there was nothing left
};

struct Challenge {
    std::string id;
    std::string platform_id;
    Blob nonce;
    Millis expires_at = 0;
};

struct AppraisalRecord {
    std::int64_t id = 0;
    std::string platform_id;
    std::string challenge_id;
    Millis at = 0;
    std::string verdict;
    std::string reasons;   // JSON array
    std::string evidence;  // the request body as received: enough to appraise again
    Blob nonce;
    std::string reference; // id of the set that matched, empty when none did
    std::string expectation; // JSON: what the evidence was judged against, so that it can be judged again
    std::string token;       // the signed result (JWT), empty when the verifier has no result key
    /// Where in `evidence` the event log is, as text: it is the same for many results, and kept once. Size 0: not told. To be
    /// filled in by who stores a result; what comes out of the store has the evidence whole.
    std::size_t log_at = 0;
    std::size_t log_size = 0;
    Blob log_hash{};       // SHA-256 of that text, by who knows it already; empty: the store makes it
    bool log_kept = false; // Ground::log_kept, of that hash and in the same unit
};

struct Grant {
    std::string id;
    std::string platform_id;
    Blob launch_id;
    Blob gate_nonce;
    Blob vm_id;
    std::string device; // "ssss:bb:dd.f"
    std::int64_t rights = 0;
    std::int64_t lease_seconds = 0;
    std::int64_t epoch = 0;
    std::int64_t evidence_clock = 0; // ms of the TPM: of the evidence behind the newest message
    Millis issued_at = 0;
    Millis renewed_at = 0;
    Blob cose;       // the grant itself, as signed last
    Millis revoked_at = 0; // 0 = not revoked
    Blob revocation; // signed, empty = not revoked
    bool held = false; // while set, the same VM gets no new grant for the same device on this platform
};

/// A grant for launches to come, sealed by the owner to one platform's TPM: the platform may not have enrolled yet.
struct BootstrapGrant {
    std::string id;
    std::string platform_id;
    Blob vm_id;
    std::string device; // "ssss:bb:dd.f"
    std::int64_t lease_seconds = 0;
    std::int64_t epoch = 0;
    Millis issued_at = 0;
    std::string issued_by;
    Blob cose;
    Millis withdrawn_at = 0; // 0 = it may be confirmed
};

/// What a platform says of itself, for display. UNTRUSTED.
struct StatusReport {
    std::string platform_id;
    Millis at = 0;
    std::string report; // JSON, as it came
};

/// About a driver VM, for the agent of a platform that has no relay.
struct OperatorOrder {
    std::string platform_id;
    std::int64_t number = 0; // 1, 2, 3, ... of each platform
    std::string vm;
    std::string order; // "stop", "start" or "restart"
    Millis given_at = 0;
    std::string given_by;
    std::optional<std::int64_t> error{}; // what became of it, by the platform's word; nothing: it was not told yet. UNTRUSTED
    Millis told_at = 0;
    Millis withdrawn_at = 0; // 0 = it may be offered

    [[nodiscard]] bool waits() const { return !error && withdrawn_at == 0; }
};

struct OrderResult {
    std::int64_t number = 0;
    std::int64_t error = 0;
};

/// Those of one platform, sealed to it: nothing in it needs hiding.
struct SealedSecrets {
    std::string platform_id;
    std::string document; // JSON, as the agent gets it
    Millis stored_at = 0;
    std::string stored_by;
};

/// What a decision about a platform's evidence stands on.
struct Ground {
    Platform platform;
    std::vector<Grant> grants; // its own
    std::int64_t reference_generation = 0;
    std::int64_t rule = 0;
    bool log_kept = false; // the event log asked for is stored for this platform
};

struct ReferenceSet {
    std::string id; // SHA-256 of the document
    Millis imported_at = 0;
    std::string document;
    std::string source;
};

/// A certificate of an owner's or grant key that an owner imported. Rows stay for ever, so that old evidence can be judged again.
struct SigningKey {
    std::string id;      // SHA-256 of the certificate's DER
    std::string key_id;  // SHA-256 of the key's SEC1 point
    std::string purpose; // "owner" or "grant"
    std::string name;    // the certificate's common name
    Millis not_before = 0;
    Millis not_after = 0;
    Millis added_at = 0;
    std::string added_by;
    Millis revoked_at = 0; // 0 = not revoked
};

using AuditRow = audit::Row;

/// A checkpoint of the audit trail as kept: the COSE_Sign1 message over the head at `sequence`.
struct SignedHead {
    std::int64_t sequence = 0;
    Blob message;
};

/// A token of an operator; its text is known to its owner only.
struct OperatorToken {
    std::string id;
    std::string name;
    std::string role;
    Blob token_hash;
    Millis created_at = 0;
    Millis expires_at = 0;
    std::string created_by;
};

/// An endorsement key that the owner knows before it enrols.
struct InventoryEntry {
    std::string platform_id; // SHA-256 of the EK's TPMT_PUBLIC
    std::string label;
    bool without_certificate = false; // may enrol although its TPM has no EK certificate
    Millis added_at = 0;
    std::string added_by;
};

} // namespace casemate::store
