// SPDX-License-Identifier: Apache-2.0
// SqlStore: challenges and appraisal results.
#include "attest/store/sql_store.hpp"

namespace casemate::store {
namespace {

/// How long an expired or used challenge is remembered, so that a replay is told from nonsense.
constexpr Millis challenge_memory = 24LL * 3600 * 1000;

#define RESULT_COLUMNS "id, platform_id, challenge_id, at, verdict, reasons, evidence, nonce, reference, expectation, token"

AppraisalRecord result_from(const Rows& row) {
    return {row.integer(0), row.text(1), row.text(2), row.integer(3), row.text(4),
            row.text(5),    row.text(6), row.blob(7), row.text(8), row.text(9), row.text(10)};
}

/// Why a challenge could not be taken.
TakeOutcome refusal(Session& session, std::string_view id, std::string_view platform_id) {
    const auto row = session.query("SELECT platform_id FROM challenges WHERE id = $1", {id});
    if (!row->next()) return TakeOutcome::unknown;
    return row->text(0) == platform_id ? TakeOutcome::used : TakeOutcome::other_platform;
}

} // namespace

void SqlStore::add_challenge(const Challenge& challenge, Millis now) {
    write([&](Session& session) {
        session.queue("DELETE FROM challenges WHERE expires_at <= $1", {now - challenge_memory});
        session.queue("INSERT INTO challenges (id, platform_id, nonce, expires_at) VALUES ($1, $2, $3, $4)",
                      {challenge.id, challenge.platform_id, ByteView{challenge.nonce}, challenge.expires_at});
    });
}

TakenChallenge SqlStore::take_challenge(std::string_view id, std::string_view platform_id, Millis now) {
    return once([&](Session& session) -> TakenChallenge {
        // One statement: of all replicas that try at once one sees used = 0. Another platform's attempt does not burn
        // the challenge of the right one.
        {
            const auto row = session.query("UPDATE challenges SET used = 1 WHERE id = $1 AND platform_id = $2 AND used = 0 "
                                           "RETURNING id, platform_id, nonce, expires_at", {id, platform_id});
            if (row->next()) {
                Challenge challenge{row->text(0), row->text(1), row->blob(2), row->integer(3)};
                finish(*row);
                if (challenge.expires_at <= now) return {TakeOutcome::expired, {}};
                return {TakeOutcome::taken, std::move(challenge)};
            }
        }
        return {refusal(session, id, platform_id), {}};
    });
}

void SqlStore::add_result(const AppraisalRecord& result, const std::optional<ClockInfo>& clock, int keep) {
    write([&](Session& session) {
        session.queue("INSERT INTO results (platform_id, challenge_id, at, verdict, reasons, evidence, nonce, "
                      "reference, expectation, token) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                      {result.platform_id, result.challenge_id, result.at, result.verdict, result.reasons, result.evidence,
                       ByteView{result.nonce}, result.reference, result.expectation, result.token});
        session.queue("UPDATE platforms SET last_verdict = $1, "
                      "last_attested_at = CASE WHEN $1 = 'affirming' THEN $2 ELSE last_attested_at END, "
                      "silent_since = CASE WHEN $1 = 'affirming' THEN 0 ELSE silent_since END WHERE id = $3",
                      {result.verdict, result.at, result.platform_id});
        if (clock)
            session.queue("UPDATE platforms SET clock = $1, reset_count = $2, restart_count = $3 WHERE id = $4",
                          {clock->clock, clock->reset_count, clock->restart_count, result.platform_id});
        session.queue("DELETE FROM results WHERE platform_id = $1 AND id <= (SELECT id FROM results WHERE "
                      "platform_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
                      {result.platform_id, std::int64_t{keep}});
    });
}

std::vector<AppraisalRecord> SqlStore::results(int limit) {
    return read([&](Session& session) {
        const auto rows = session.query("SELECT " RESULT_COLUMNS " FROM results ORDER BY id DESC LIMIT $1",
                                        {std::int64_t{limit}});
        std::vector<AppraisalRecord> all;
        while (rows->next()) all.push_back(result_from(*rows));
        return all;
    });
}

std::optional<AppraisalRecord> SqlStore::result(std::int64_t id) {
    return read([&](Session& session) -> std::optional<AppraisalRecord> {
        const auto row = session.query("SELECT " RESULT_COLUMNS " FROM results WHERE id = $1", {id});
        if (!row->next()) return std::nullopt;
        return result_from(*row);
    });
}

std::optional<AppraisalRecord> SqlStore::newest_result(std::string_view platform_id) {
    return read([&](Session& session) -> std::optional<AppraisalRecord> {
        const auto row = session.query("SELECT " RESULT_COLUMNS " FROM results WHERE platform_id = $1 "
                                       "ORDER BY id DESC LIMIT 1", {platform_id});
        if (!row->next()) return std::nullopt;
        return result_from(*row);
    });
}

} // namespace casemate::store
