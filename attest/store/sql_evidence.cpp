// SPDX-License-Identifier: Apache-2.0
// SqlStore: challenges and appraisal results.
#include "attest/store/sql_store.hpp"
#include "dlaunch/measure/crypto.hpp"

namespace casemate::store {
namespace {

/// How long an expired or used challenge is remembered, so that a replay is told from nonsense.
constexpr Millis challenge_memory = 24LL * 3600 * 1000;

#define SELECT_RESULT                                                                                             \
    "SELECT results.id, results.platform_id, challenge_id, at, verdict, reasons, evidence, nonce, reference, "    \
    "expectation, token, log_at, log_hash, event_logs.text FROM results LEFT JOIN event_logs "                    \
    "ON event_logs.platform_id = results.platform_id AND event_logs.hash = results.log_hash "

AppraisalRecord result_from(const Rows& row) {
    AppraisalRecord result{row.integer(0), row.text(1), row.text(2), row.integer(3), row.text(4), row.text(5),
                           row.text(6),    row.blob(7), row.text(8), row.text(9),    row.text(10), 0, 0};
    if (row.blob(12).empty()) return result;
    const auto at = static_cast<std::size_t>(row.integer(11));
    if (row.is_null(13) || at > result.evidence.size()) throw StoreFailure("store: the event log of a result is missing");
    result.evidence.insert(at, row.text(13));
    return result;
}

/// The evidence without its log, and the log, which many results of a platform have in common.
struct SplitEvidence {
    std::string rest;
    std::string_view log;
    Blob log_hash; // empty: nothing was split off

    explicit SplitEvidence(const AppraisalRecord& result) {
        const std::string_view whole = result.evidence;
        if (result.log_at > whole.size() || result.log_size > whole.size() - result.log_at)
            throw StoreFailure("store: the event log is not in the evidence");
        rest.reserve(whole.size() - result.log_size);
        rest.append(whole.substr(0, result.log_at)).append(whole.substr(result.log_at + result.log_size));
        if (result.log_size == 0) return;
        log = whole.substr(result.log_at, result.log_size);
        log_hash = result.log_hash;
        if (!log_hash.empty()) return;
        // SAFETY: char and std::uint8_t alias.
        const auto hash = measure::sha256({reinterpret_cast<const std::uint8_t*>(log.data()), log.size()});
        log_hash.assign(hash.begin(), hash.end());
    }
};

/// True when the log is new; those that no result has are then to be removed.
bool keep_log(Session& session, const AppraisalRecord& result, const SplitEvidence& evidence) {
    if (evidence.log_hash.empty() || result.log_kept) return false;
    const std::string_view platform_id = result.platform_id;
    {
        const auto known = session.query("SELECT hash FROM event_logs WHERE platform_id = $1 AND hash = $2",
                                         {platform_id, ByteView{evidence.log_hash}});
        if (known->next()) return false;
    }
    session.queue("INSERT INTO event_logs (platform_id, hash, text) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                  {platform_id, ByteView{evidence.log_hash}, evidence.log});
    return true;
}

void set_verdict(Session& session, const AppraisalRecord& result, const std::optional<ClockInfo>& clock) {
    if (!clock)
        return session.queue("UPDATE platforms SET last_verdict = $1, "
                             "last_attested_at = CASE WHEN $1 = 'affirming' THEN $2 ELSE last_attested_at END, "
                             "silent_since = CASE WHEN $1 = 'affirming' THEN 0 ELSE silent_since END WHERE id = $3",
                             {result.verdict, result.at, result.platform_id});
    session.queue("UPDATE platforms SET last_verdict = $1, "
                  "last_attested_at = CASE WHEN $1 = 'affirming' THEN $2 ELSE last_attested_at END, "
                  "silent_since = CASE WHEN $1 = 'affirming' THEN 0 ELSE silent_since END, "
                  "clock = $3, reset_count = $4, restart_count = $5 WHERE id = $6",
                  {result.verdict, result.at, clock->clock, clock->reset_count, clock->restart_count, result.platform_id});
}

/// Of each platform the newest `keep`.
void drop_old_results(Session& session, std::string_view platform_id, int keep) {
    session.queue("DELETE FROM results WHERE platform_id = $1 AND id <= (SELECT id FROM results WHERE "
                  "platform_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)", {platform_id, std::int64_t{keep}});
}

/// Why a challenge could not be taken.
TakeOutcome refusal(Session& session, std::string_view id, std::string_view platform_id) {
    const auto row = session.query("SELECT platform_id FROM challenges WHERE id = $1", {id});
    if (!row->next()) return TakeOutcome::unknown;
    return row->text(0) == platform_id ? TakeOutcome::used : TakeOutcome::other_platform;
}

} // namespace

bool SqlStore::due_to_sweep(Millis now) {
    constexpr Millis pause = 1000;
    const Millis last = swept_at_;
    if (now >= last && now < last + pause) return false;
    swept_at_ = now;
    return true;
}

void SqlStore::add_challenge(const Challenge& challenge, Millis now) {
    write([&](Session& session) {
        if (due_to_sweep(now)) session.queue("DELETE FROM challenges WHERE expires_at <= $1", {now - challenge_memory});
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
        const SplitEvidence evidence{result};
        const bool new_log = keep_log(session, result, evidence);
        session.queue("INSERT INTO results (platform_id, challenge_id, at, verdict, reasons, evidence, nonce, "
                      "reference, expectation, token, log_at, log_hash) "
                      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                      {result.platform_id, result.challenge_id, result.at, result.verdict, result.reasons, evidence.rest,
                       ByteView{result.nonce}, result.reference, result.expectation, result.token,
                       static_cast<std::int64_t>(result.log_at), ByteView{evidence.log_hash}});
        set_verdict(session, result, clock);
        drop_old_results(session, result.platform_id, keep);
        if (new_log)
            session.queue("DELETE FROM event_logs WHERE platform_id = $1 AND hash NOT IN "
                          "(SELECT log_hash FROM results WHERE platform_id = $1)", {result.platform_id});
    });
}

std::vector<AppraisalRecord> SqlStore::results(int limit) {
    return read([&](Session& session) {
        const auto rows = session.query(SELECT_RESULT "ORDER BY results.id DESC LIMIT $1",
                                        {std::int64_t{limit}});
        std::vector<AppraisalRecord> all;
        while (rows->next()) all.push_back(result_from(*rows));
        return all;
    });
}

std::optional<AppraisalRecord> SqlStore::result(std::int64_t id) {
    return read([&](Session& session) -> std::optional<AppraisalRecord> {
        const auto row = session.query(SELECT_RESULT "WHERE results.id = $1", {id});
        if (!row->next()) return std::nullopt;
        return result_from(*row);
    });
}

std::optional<AppraisalRecord> SqlStore::newest_result(std::string_view platform_id) {
    return read([&](Session& session) -> std::optional<AppraisalRecord> {
        const auto row = session.query(SELECT_RESULT "WHERE results.platform_id = $1 "
                                       "ORDER BY results.id DESC LIMIT 1", {platform_id});
        if (!row->next()) return std::nullopt;
        return result_from(*row);
    });
}

} // namespace casemate::store
