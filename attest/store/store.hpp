// SPDX-License-Identifier: Apache-2.0
// The verifier's memory, as an interface narrow enough for a second back end.
// Invariants that every back end keeps: a challenge and an enrolment can be taken once, in one transaction, and
// whether or not what follows succeeds; an identity once bound never changes unless an operator allowed it;
// what a call reported as stored survives a crash. All calls are safe from several threads.
// Failures of the back end itself throw StoreFailure.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "attest/store/records.hpp"

namespace casemate::store {

enum class BindOutcome { bound, conflict };
enum class TakeOutcome { taken, unknown, other_platform, used, expired };

struct TakenChallenge {
    TakeOutcome outcome = TakeOutcome::unknown;
    Challenge challenge; // filled when taken
};

class Store {
public:
    virtual ~Store() = default;

    // --- enrolment
    virtual void add_enrolment(const Enrolment& enrolment, Millis now) = 0;
    /// The enrolment, removed; nothing when unknown or past its time.
    [[nodiscard]] virtual std::optional<Enrolment> take_enrolment(std::string_view id, Millis now) = 0;
    /// Creates the platform, or gives a known one a new token. `conflict` when the known one has another AK.
    [[nodiscard]] virtual BindOutcome bind_platform(const Platform& platform) = 0;
    [[nodiscard]] virtual bool allow_rebinding(std::string_view platform_id) = 0;

    [[nodiscard]] virtual std::optional<Platform> platform(std::string_view id) = 0;
    [[nodiscard]] virtual std::vector<Platform> platforms() = 0;

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

    // --- reference sets
    virtual void add_reference(const ReferenceSet& set) = 0;
    virtual void replace_references(const std::vector<ReferenceSet>& sets) = 0;
    [[nodiscard]] virtual bool remove_reference(std::string_view id) = 0;
    /// Newest first.
    [[nodiscard]] virtual std::vector<ReferenceSet> references() = 0;

    // --- audit trail
    virtual void audit(const AuditRow& row) = 0;
    [[nodiscard]] virtual std::vector<AuditRow> audit_rows(int limit) = 0;
};

/// SQLite in `file` (created with mode 0600), migrated to the current schema.
[[nodiscard]] std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path& file);

} // namespace casemate::store
