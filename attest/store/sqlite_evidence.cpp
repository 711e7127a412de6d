// SPDX-License-Identifier: Apache-2.0
// SqliteStore: challenges and appraisal results.
#include "attest/store/sqlite_store.hpp"

namespace casemate::store {
namespace {

/// How long an expired or used challenge is remembered, so that a replay is told from nonsense.
constexpr Millis challenge_memory = 24LL * 3600 * 1000;

TakeOutcome judge(const Challenge& challenge, bool used, std::string_view platform_id, Millis now) {
    if (challenge.platform_id != platform_id) return TakeOutcome::other_platform;
    if (used) return TakeOutcome::used;
    if (challenge.expires_at <= now) return TakeOutcome::expired;
    return TakeOutcome::taken;
}

} // namespace

void SqliteStore::add_challenge(const Challenge& challenge, Millis now) {
    const std::lock_guard guard{lock_};
    Transaction transaction{connection_};
    Statement{connection_, "DELETE FROM challenges WHERE expires_at <= ?"}.bind(now - challenge_memory).run();
    Statement{connection_, "INSERT INTO challenges (id, platform_id, nonce, expires_at) VALUES (?, ?, ?, ?)"}
        .bind(challenge.id).bind(challenge.platform_id).bind(challenge.nonce).bind(challenge.expires_at).run();
    transaction.commit();
}

TakenChallenge SqliteStore::take_challenge(std::string_view id, std::string_view platform_id, Millis now) {
    const std::lock_guard guard{lock_};
    Transaction transaction{connection_};
    TakenChallenge taken;
    {
        Statement row{connection_, "SELECT id, platform_id, nonce, expires_at, used FROM challenges WHERE id = ?"};
        row.bind(id);
        if (!row.step()) return taken;
        taken.challenge = {row.text(0), row.text(1), row.blob(2), row.integer(3)};
        taken.outcome = judge(taken.challenge, row.integer(4) != 0, platform_id, now);
    }
    // Another platform's attempt must not burn the challenge of the right one.
    if (taken.outcome != TakeOutcome::other_platform)
        Statement{connection_, "UPDATE challenges SET used = 1 WHERE id = ?"}.bind(id).run();
    transaction.commit();
    if (taken.outcome != TakeOutcome::taken) taken.challenge = {};
    return taken;
}

void SqliteStore::add_result(const AppraisalRecord& result, const std::optional<ClockInfo>& clock, int keep) {
    const std::lock_guard guard{lock_};
    Transaction transaction{connection_};
    Statement{connection_, "INSERT INTO results (platform_id, challenge_id, at, verdict, reasons, evidence, nonce, "
                           "reference) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"}
        .bind(result.platform_id).bind(result.challenge_id).bind(result.at).bind(result.verdict)
        .bind(result.reasons).bind(result.evidence).bind(result.nonce).bind(result.reference).run();
    Statement{connection_, "UPDATE platforms SET last_verdict = ?1, "
                           "last_attested_at = iif(?1 = 'affirming', ?2, last_attested_at) WHERE id = ?3"}
        .bind(result.verdict).bind(result.at).bind(result.platform_id).run();
    if (clock)
        Statement{connection_, "UPDATE platforms SET clock = ?, reset_count = ?, restart_count = ? WHERE id = ?"}
            .bind(clock->clock).bind(clock->reset_count).bind(clock->restart_count).bind(result.platform_id).run();
    Statement{connection_, "DELETE FROM results WHERE platform_id = ?1 AND id <= (SELECT id FROM results WHERE "
                           "platform_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)"}
        .bind(result.platform_id).bind(std::int64_t{keep}).run();
    transaction.commit();
}

namespace {

constexpr const char* result_columns =
    "SELECT id, platform_id, challenge_id, at, verdict, reasons, evidence, nonce, reference FROM results ";

AppraisalRecord result_from(const Statement& row) {
    return {row.integer(0), row.text(1), row.text(2), row.integer(3), row.text(4),
            row.text(5),    row.text(6), row.blob(7), row.text(8)};
}

} // namespace

std::vector<AppraisalRecord> SqliteStore::results(int limit) {
    const std::lock_guard guard{lock_};
    Statement rows{connection_, (std::string{result_columns} + "ORDER BY id DESC LIMIT ?").c_str()};
    rows.bind(std::int64_t{limit});
    std::vector<AppraisalRecord> all;
    while (rows.step()) all.push_back(result_from(rows));
    return all;
}

std::optional<AppraisalRecord> SqliteStore::newest_result(std::string_view platform_id) {
    const std::lock_guard guard{lock_};
    Statement row{connection_, (std::string{result_columns} + "WHERE platform_id = ? ORDER BY id DESC LIMIT 1").c_str()};
    row.bind(platform_id);
    if (!row.step()) return std::nullopt;
    return result_from(row);
}

} // namespace casemate::store
