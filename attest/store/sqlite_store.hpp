// SPDX-License-Identifier: Apache-2.0
// Store on SQLite: one connection under one lock (SQLite has one writer anyway; a request holds it for some
// tens of microseconds). Split over three files by what the rows are about. Made by open_sqlite_store only.
#pragma once

#include <mutex>

#include "attest/store/sqlite.hpp"
#include "attest/store/store.hpp"

namespace casemate::store {

class SqliteStore final : public Store {
public:
    explicit SqliteStore(const std::filesystem::path& file);

    void add_enrolment(const Enrolment& enrolment, Millis now) override;
    std::optional<Enrolment> take_enrolment(std::string_view id, Millis now) override;
    BindOutcome bind_platform(const Platform& platform) override;
    bool allow_rebinding(std::string_view platform_id) override;
    std::optional<Platform> platform(std::string_view id) override;
    std::vector<Platform> platforms() override;

    void add_challenge(const Challenge& challenge, Millis now) override;
    TakenChallenge take_challenge(std::string_view id, std::string_view platform_id, Millis now) override;
    void add_result(const AppraisalRecord& result, const std::optional<ClockInfo>& clock, int keep) override;
    std::vector<AppraisalRecord> results(int limit) override;
    [[nodiscard]] std::optional<AppraisalRecord> newest_result(std::string_view platform_id) override;

    void add_grant(const Grant& grant) override;
    std::optional<Grant> grant(std::string_view id) override;
    std::vector<Grant> grants(int limit) override;
    std::vector<Grant> grants_of(std::string_view platform_id) override;
    void set_renewal(std::string_view id, std::int64_t evidence_clock, Millis now) override;
    void set_reissue(std::string_view id, const Blob& cose, std::int64_t evidence_clock, Millis now) override;
    bool revoke(std::string_view id, const Blob& revocation, Millis now) override;
    bool lift_hold(std::string_view id) override;

    void add_reference(const ReferenceSet& set) override;
    void replace_references(const std::vector<ReferenceSet>& sets) override;
    bool remove_reference(std::string_view id) override;
    std::vector<ReferenceSet> references() override;

    void audit(const AuditRow& row) override;
    std::vector<AuditRow> audit_rows(int limit) override;

private:
    void insert_reference(const ReferenceSet& set);

    std::mutex lock_;
    Connection connection_;
};

} // namespace casemate::store
