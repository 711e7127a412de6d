// SPDX-License-Identifier: Apache-2.0
// Store in SQL, on either back end (sql.hpp). Split over files by what the rows are about: sql_platforms, sql_evidence,
// sql_fleet, sql_grants, sql_mail, sql_keys, sql_audit; sql_store has sessions, units and reference sets. Made by open_store.cpp only.
#pragma once

#include <atomic>

#include "attest/store/sql.hpp"
#include "attest/store/store.hpp"

namespace casemate::store {

class SqlStore final : public Store {
    static constexpr Millis never = -1'000'000;
public:
    explicit SqlStore(std::unique_ptr<Backend> backend) : backend_{std::move(backend)} {}

    [[nodiscard]] std::unique_ptr<Deferral> defer_takes() override;
    [[nodiscard]] std::unique_ptr<Unit> begin() override;
    std::optional<Platform> hold_platform(std::string_view platform_id) override;
    std::optional<Ground> hold_ground(std::string_view platform_id, std::string_view rule, const Blob& log_hash) override;

    void add_enrolment(const Enrolment& enrolment, Millis now) override;
    std::optional<Enrolment> take_enrolment(std::string_view id, Millis now) override;
    BindOutcome bind_platform(const Platform& platform) override;
    bool allow_rebinding(std::string_view platform_id) override;
    std::optional<Platform> platform(std::string_view id) override;
    std::vector<Platform> platforms() override;
    bool set_platform_state(std::string_view platform_id, std::string_view state) override;
    std::vector<Presence> presences(std::string_view after, int limit) override;
    bool mark_silent(const Presence& seen, Millis now) override;

    void add_challenge(const Challenge& challenge, Millis now) override;
    TakenChallenge take_challenge(std::string_view id, std::string_view platform_id, Millis now) override;
    void add_result(const AppraisalRecord& result, const std::optional<ClockInfo>& clock, int keep) override;
    std::vector<AppraisalRecord> results(int limit) override;
    [[nodiscard]] std::optional<AppraisalRecord> newest_result(std::string_view platform_id) override;
    std::optional<AppraisalRecord> result(std::int64_t id) override;

    void add_grant(const Grant& grant) override;
    std::optional<Grant> grant(std::string_view id) override;
    std::vector<Grant> grants(int limit) override;
    std::vector<Grant> grants_of(std::string_view platform_id) override;
    void set_renewal(std::string_view id, std::int64_t evidence_clock, Millis now) override;
    void set_reissue(std::string_view id, const Blob& cose, std::int64_t evidence_clock, Millis now) override;
    bool revoke(std::string_view id, const Blob& revocation, Millis now) override;
    bool lift_hold(std::string_view id) override;
    LeaseCount count_leases(std::int64_t after, int limit, Millis now) override;

    void add_bootstrap_grant(const BootstrapGrant& grant) override;
    std::vector<BootstrapGrant> bootstrap_grants_of(std::string_view platform_id) override;
    std::optional<std::string> withdraw_bootstrap_grant(std::string_view id, Millis now) override;

    void put_report(const StatusReport& report, const std::vector<OrderResult>& results) override;
    std::optional<StatusReport> status_report(std::string_view platform_id) override;
    std::optional<std::int64_t> add_order(const OperatorOrder& order, std::int64_t most) override;
    std::vector<OperatorOrder> orders_of(std::string_view platform_id) override;
    std::vector<OperatorOrder> untold_orders(std::string_view platform_id) override;
    std::int64_t withdraw_orders(std::string_view platform_id, Millis now) override;
    void put_secrets(const SealedSecrets& secrets) override;
    std::optional<SealedSecrets> secrets_of(std::string_view platform_id) override;

    void add_reference(const ReferenceSet& set) override;
    void replace_references(const std::vector<ReferenceSet>& sets) override;
    bool remove_reference(std::string_view id) override;
    std::vector<ReferenceSet> references() override;
    std::optional<std::string> archived_reference(std::string_view id) override;
    std::int64_t reference_generation() override;

    bool add_signing_key(const SigningKey& key) override;
    bool revoke_signing_key(std::string_view key_id, Millis now) override;
    std::vector<SigningKey> signing_keys() override;

    void add_operator_token(const OperatorToken& token) override;
    std::optional<OperatorToken> operator_token(const Blob& token_hash) override;
    std::vector<OperatorToken> operator_tokens() override;
    bool remove_operator_token(std::string_view id) override;

    void add_inventory(const std::vector<InventoryEntry>& entries) override;
    std::optional<InventoryEntry> inventory_entry(std::string_view platform_id) override;
    std::vector<InventoryEntry> inventory(int limit) override;
    bool remove_inventory(std::string_view platform_id) override;
    std::int64_t rule(std::string_view name) override;
    void set_rule(std::string_view name, std::int64_t value) override;

    void audit(const AuditRow& row) override;
    std::vector<AuditRow> audit_rows(int limit) override;
    std::vector<audit::ChainedRow> audit_trail(std::int64_t after, int limit) override;
    std::vector<SignedHead> audit_checkpoints(std::int64_t after, std::int64_t until) override;
    void sign_checkpoints(audit::Checkpointing checkpointing) override;
    audit::Head audit_head() override;
    bool checkpoint(Millis now) override;

    void check() override { backend_->check(); }

private:
    class SqlUnit;
    class SqlDeferral;

    /// This thread's open unit on this store, if any: calls join it.
    [[nodiscard]] SqlUnit* open_unit() const;
    /// In the open unit, or in a transaction of its own.
    template <typename Work>
    auto write(Work work);
    /// In the open unit, or as one query that is a transaction by itself, on the disk at the end unless this thread defers that.
    template <typename Work>
    auto once(Work work);
    /// In the open unit, or without a transaction; tried twice when the first connection turns out to be dead.
    template <typename Work>
    auto read(Work work);

    void append_audit(Session& session, const std::vector<AuditRow>& rows);
    void add_checkpoint(Session& session, const audit::Head& head, Millis now);

    /// Once a second of the caller's clock, whichever way that goes.
    [[nodiscard]] bool due_to_sweep(Millis now);

    const std::unique_ptr<Backend> backend_;
    std::atomic<Millis> swept_at_{never}; // challenges
    audit::Checkpointing checkpointing_;
};

} // namespace casemate::store

#include "attest/store/sql_unit.hpp"
