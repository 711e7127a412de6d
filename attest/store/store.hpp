// SPDX-License-Identifier: Apache-2.0
// The verifier's memory, as an interface narrow enough for a second back end.
// Invariants that every back end keeps: a challenge and an enrolment can be taken once, in one transaction, and
// whether or not what follows succeeds; an identity once bound never changes unless an operator allowed it;
// what a call reported as stored survives a crash; audit rows are in the same transaction as what they tell of. All calls
// are safe from several threads and from several replicas on one database. Failures of the back end throw StoreFailure.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "attest/audit/checkpoint.hpp"
#include "attest/store/failure.hpp"
#include "attest/store/records.hpp"

namespace casemate::store {

inline constexpr std::int64_t max_kept_orders = 64;

enum class BindOutcome { bound, conflict };
enum class TakeOutcome { taken, unknown, other_platform, used, expired };

struct TakenChallenge {
    TakeOutcome outcome = TakeOutcome::unknown;
    Challenge challenge; // filled when taken
};

/// A unit of work: everything that this thread calls between begin() and commit() is stored together or not at all.
/// Dropped without commit(), nothing was stored. Ends on the thread that began it.
class Unit {
public:
    virtual ~Unit() = default;
    virtual void commit() = 0;
};

/// While it lives, what this thread takes (a challenge, an enrolment) need not be on the disk at once: it is there with, or
/// before, whatever the thread stores next, and at the latest when settle() returns. For who answers nobody before settle().
class Deferral {
public:
    virtual ~Deferral() = default;
    virtual void settle() = 0;
};

class Store {
public:
    virtual ~Store() = default;

    /// One at a time for each thread.
    [[nodiscard]] virtual std::unique_ptr<Deferral> defer_takes() = 0;

    /// One at a time for each thread.
    [[nodiscard]] virtual std::unique_ptr<Unit> begin() = 0;
    /// Until the unit ends, no unit of another thread or replica holds this platform. Units that hold a platform do so
    /// first. What it gives is the platform as it is while it is held; nothing when there is none.
    virtual std::optional<Platform> hold_platform(std::string_view platform_id) = 0;
    /// The same, and all else that evidence is decided by, at once: a rule() of that name, and whether the platform's event log of that
    /// hash is stored.
    virtual std::optional<Ground> hold_ground(std::string_view platform_id, std::string_view rule, const Blob& log_hash) = 0;

    // --- enrolment
    virtual void add_enrolment(const Enrolment& enrolment, Millis now) = 0;
    /// The enrolment, removed; nothing when unknown or past its time.
    [[nodiscard]] virtual std::optional<Enrolment> take_enrolment(std::string_view id, Millis now) = 0;
    /// Creates the platform, or gives a known one a new token. `conflict` when the known one has another AK.
    [[nodiscard]] virtual BindOutcome bind_platform(const Platform& platform) = 0;
    [[nodiscard]] virtual bool allow_rebinding(std::string_view platform_id) = 0;

    [[nodiscard]] virtual std::optional<Platform> platform(std::string_view id) = 0;
    [[nodiscard]] virtual std::vector<Platform> platforms() = 0;
    /// False when the platform is unknown or in this state already.
    [[nodiscard]] virtual bool set_platform_state(std::string_view platform_id, std::string_view state) = 0;
    /// In the order of ids: those behind `after`. Reads a part at a time, so that nobody waits long for a large fleet.
    [[nodiscard]] virtual std::vector<Presence> presences(std::string_view after, int limit) = 0;
    /// True for one of any number of replicas, and only while the platform is in service and nothing affirming has come since `seen`
    /// was read. add_result() takes the mark away again with the next affirming verdict.
    [[nodiscard]] virtual bool mark_silent(const Presence& seen, Millis now) = 0;

    // --- evidence
    virtual void add_challenge(const Challenge& challenge, Millis now) = 0;
    /// Marks the challenge used for ever, then says whether it may be answered.
    [[nodiscard]] virtual TakenChallenge take_challenge(std::string_view id, std::string_view platform_id,
                                                        Millis now) = 0;
    /// Stores the result, sets the platform's last verdict (and, when affirming, the time), and its clock when
    /// `clock` is given; of each platform the newest `keep` results stay.
    virtual void add_result(const AppraisalRecord& result, const std::optional<ClockInfo>& clock, int keep) = 0;
    [[nodiscard]] virtual std::vector<AppraisalRecord> results(int limit) = 0;
    [[nodiscard]] virtual std::optional<AppraisalRecord> newest_result(std::string_view platform_id) = 0;
    [[nodiscard]] virtual std::optional<AppraisalRecord> result(std::int64_t id) = 0;

    // --- grants
    virtual void add_grant(const Grant& grant) = 0;
    [[nodiscard]] virtual std::optional<Grant> grant(std::string_view id) = 0;
    [[nodiscard]] virtual std::vector<Grant> grants(int limit) = 0;
    [[nodiscard]] virtual std::vector<Grant> grants_of(std::string_view platform_id) = 0;
    virtual void set_renewal(std::string_view id, std::int64_t evidence_clock, Millis now) = 0;
    /// The same grant, signed again on newer evidence.
    virtual void set_reissue(std::string_view id, const Blob& cose, std::int64_t evidence_clock, Millis now) = 0;
    /// Records the signed revocation and holds further grants; false when already revoked or unknown.
    [[nodiscard]] virtual bool revoke(std::string_view id, const Blob& revocation, Millis now) = 0;
    [[nodiscard]] virtual bool lift_hold(std::string_view id) = 0;
    /// Of at most `limit` grants behind number `after`.
    [[nodiscard]] virtual LeaseCount count_leases(std::int64_t after, int limit, Millis now) = 0;

    // --- bootstrap grants
    virtual void add_bootstrap_grant(const BootstrapGrant& grant) = 0;
    /// In the order of issue.
    [[nodiscard]] virtual std::vector<BootstrapGrant> bootstrap_grants_of(std::string_view platform_id) = 0;
    /// Its platform; nothing when it is unknown or was withdrawn before.
    [[nodiscard]] virtual std::optional<std::string> withdraw_bootstrap_grant(std::string_view id, Millis now) = 0;

    // --- what a platform without a relay has the service for (docs/adr/0031)
    /// Takes the place of the report before. Orders that `results` are about get their error, once.
    virtual void put_report(const StatusReport& report, const std::vector<OrderResult>& results) = 0;
    [[nodiscard]] virtual std::optional<StatusReport> status_report(std::string_view platform_id) = 0;
    /// Its number, which is one more than that of any before; nothing when `most` wait. In a unit that holds the platform. Of each platform
    /// the newest max_kept_orders stay.
    [[nodiscard]] virtual std::optional<std::int64_t> add_order(const OperatorOrder& order, std::int64_t most) = 0;
    /// In the order of their numbers.
    [[nodiscard]] virtual std::vector<OperatorOrder> orders_of(std::string_view platform_id) = 0;
    /// Of these the ones whose result was not told: those that wait, and those that were withdrawn before.
    [[nodiscard]] virtual std::vector<OperatorOrder> untold_orders(std::string_view platform_id) = 0;
    /// How many waited; they do so no more.
    virtual std::int64_t withdraw_orders(std::string_view platform_id, Millis now) = 0;
    /// In place of those before.
    virtual void put_secrets(const SealedSecrets& secrets) = 0;
    [[nodiscard]] virtual std::optional<SealedSecrets> secrets_of(std::string_view platform_id) = 0;

    // --- reference sets
    virtual void add_reference(const ReferenceSet& set) = 0;
    virtual void replace_references(const std::vector<ReferenceSet>& sets) = 0;
    [[nodiscard]] virtual bool remove_reference(std::string_view id) = 0;
    /// Newest first.
    [[nodiscard]] virtual std::vector<ReferenceSet> references() = 0;
    /// The document of any set that was ever accepted: removed ones too, so that old evidence can be judged again.
    [[nodiscard]] virtual std::optional<std::string> archived_reference(std::string_view id) = 0;
    /// A number that every change of the reference sets and of the signing keys raises, on any replica.
    [[nodiscard]] virtual std::int64_t reference_generation() = 0;

    // --- signing keys: which owners and grant keys count
    /// False when this certificate is there already.
    [[nodiscard]] virtual bool add_signing_key(const SigningKey& key) = 0;
    /// All certificates of the key; false when there is none, or it is revoked already.
    [[nodiscard]] virtual bool revoke_signing_key(std::string_view key_id, Millis now) = 0;
    /// In the order of their import.
    [[nodiscard]] virtual std::vector<SigningKey> signing_keys() = 0;

    // --- operators
    virtual void add_operator_token(const OperatorToken& token) = 0;
    [[nodiscard]] virtual std::optional<OperatorToken> operator_token(const Blob& token_hash) = 0;
    [[nodiscard]] virtual std::vector<OperatorToken> operator_tokens() = 0;
    [[nodiscard]] virtual bool remove_operator_token(std::string_view id) = 0;

    // --- inventory and rules of the fleet
    /// All or none; an entry that is there is replaced.
    virtual void add_inventory(const std::vector<InventoryEntry>& entries) = 0;
    [[nodiscard]] virtual std::optional<InventoryEntry> inventory_entry(std::string_view platform_id) = 0;
    [[nodiscard]] virtual std::vector<InventoryEntry> inventory(int limit) = 0;
    [[nodiscard]] virtual bool remove_inventory(std::string_view platform_id) = 0;
    /// 0 when it was never set.
    [[nodiscard]] virtual std::int64_t rule(std::string_view name) = 0;
    virtual void set_rule(std::string_view name, std::int64_t value) = 0;

    // --- audit trail (docs/interfaces/audit.md)
    /// Appends a row to the chain: with the open unit, or by itself.
    virtual void audit(const AuditRow& row) = 0;
    /// Newest first.
    [[nodiscard]] virtual std::vector<AuditRow> audit_rows(int limit) = 0;
    /// Oldest first: the rows after sequence number `after`.
    [[nodiscard]] virtual std::vector<audit::ChainedRow> audit_trail(std::int64_t after, int limit) = 0;
    [[nodiscard]] virtual std::vector<SignedHead> audit_checkpoints(std::int64_t after, std::int64_t until) = 0;
    /// From now on. Not while other threads use the store.
    virtual void sign_checkpoints(audit::Checkpointing checkpointing) = 0;
    /// Of the newest row; sequence number 0 when there is none. Rows up to it are there: the trail has no gaps.
    [[nodiscard]] virtual audit::Head audit_head() = 0;
    /// Signs the head now; false when it is signed already, there is no row, or nobody signs.
    virtual bool checkpoint(Millis now) = 0;

    /// Reads one row: StoreFailure when the database does not answer, or has another schema than this program's.
    virtual void check() = 0;
};

/// How long a part of the store's work took; may be called by several threads at once, and must not throw.
enum class Step { wait, commit, use }; // for a free connection; for the disk; a connection in all
using Observer = std::function<void(Step, std::chrono::nanoseconds)>;

/// SQLite in `file` (created with mode 0600), migrated to the current schema.
[[nodiscard]] std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path& file, Observer observer = {});

/// PostgreSQL 13 or newer by a connection string of libpq, migrated to the current schema; any number of replicas may use
/// the database. At most `connections` at a time from this one.
[[nodiscard]] std::unique_ptr<Store> open_postgresql_store(const std::string& conninfo, std::size_t connections, Observer observer = {});

/// "sqlite:FILE", "postgresql:CONNINFO" or "postgresql://...". A password in it is refused.
[[nodiscard]] std::unique_ptr<Store> open_store(const std::string& where, std::size_t connections, Observer observer = {});

} // namespace casemate::store
