// SPDX-License-Identifier: Apache-2.0
// See attestation.hpp.
#include "attest/verifier/attestation.hpp"

#include <algorithm>

#include "attest/verifier/encoding.hpp"
#include "attest/verifier/evidence_body.hpp"
#include "attest/verifier/log.hpp"
#include "attest/verifier/result_token.hpp"

namespace casemate::verifier {
namespace {

using measure::TPM_ALG_ID;

constexpr std::size_t nonce_size = 32;
constexpr Millis order_margin = 60'000; // an order stays this long after the lease is over

/// PCR 0-7 too when a reference set speaks of firmware.
Json selection_of(const measure::Banks& banks, const References& references) {
    const bool firmware = std::any_of(references.begin(), references.end(),
                                      [](const auto& reference) { return !reference->set().firmware.empty(); });
    Json pcrs = Json::array();
    if (firmware) pcrs = {0, 1, 2, 3, 4, 5, 6, 7};
    for (const int pcr : {17, 18, 19, 20, 21, 22}) pcrs.push_back(pcr);
    Json selection = Json::object();
    for (const TPM_ALG_ID bank : banks) selection[measure::name_of(bank)] = pcrs;
    return selection;
}

/// The time comes first, so that challenges of one time lie side by side in the store. Nobody has to be unable to guess it: that
/// is what the nonce is for.
std::string new_challenge_id(Millis now) {
    return to_hex(concatenate({big_endian(static_cast<std::uint32_t>(now >> 16), 4), big_endian(static_cast<std::uint32_t>(now & 0xffff), 2),
                               random_bytes(10)}));
}

/// Base64 has one encoding, so the log is found in the body as it came, unless somebody escaped its letters.
void note_log(store::AppraisalRecord& record, const Json& body) {
    const std::string& log = body["log"].get_ref<const std::string&>();
    const std::size_t at = record.evidence.find(log);
    if (at == std::string::npos) return;
    record.log_at = at;
    record.log_size = log.size();
    record.log_hash = to_bytes(sha256(as_bytes(log)));
}

Json joined(Json first, const Json& second) {
    for (const Json& item : second) first.push_back(item);
    return first;
}

/// For the audit trail: what was judged, against what, and the words of what came out.
std::string summary_of(const store::AppraisalRecord& record) {
    std::string summary = "evidence " + to_hex(sha256(as_bytes(record.evidence)));
    if (!record.reference.empty()) summary += ", reference " + record.reference;
    for (const Json& reason : Json::parse(record.reasons)) summary += ", " + reason["code"].get<std::string>();
    return summary;
}

} // namespace

Answer Attestation::challenge(const store::Platform& caller) const {
    const Millis now = context_.now();
    const store::Challenge challenge{new_challenge_id(now), caller.identity.platform_id, random_bytes(nonce_size),
                                     now + context_.settings.challenge_lifetime};
    context_.store.add_challenge(challenge, now);
    return Json{{"challenge_id", challenge.id},
                {"nonce", to_base64(challenge.nonce)},
                {"pcr_selection", selection_of(quoted_banks(caller.identity.banks), references_.current())},
                {"expires_in", context_.settings.challenge_lifetime / 1000}};
}

Result<store::Challenge, ApiError> Attestation::take_challenge(const std::string& id,
                                                               const std::string& platform_id) const {
    store::TakenChallenge taken = context_.store.take_challenge(id, platform_id, context_.now());
    switch (taken.outcome) {
    case store::TakeOutcome::taken: return std::move(taken.challenge);
    case store::TakeOutcome::used: return refuse(409, "challenge_used", "evidence for this challenge came before");
    case store::TakeOutcome::expired: return refuse(409, "challenge_expired", "ask for a new challenge");
    case store::TakeOutcome::other_platform:
        return refuse(403, "challenge_other_platform", "this challenge was for another platform");
    case store::TakeOutcome::unknown: break;
    }
    return refuse(404, "challenge_unknown", "no such challenge");
}

/// A judgement with all that it stands on.
struct Attestation::Verdict {
    Facts facts;
    References references;
    std::unique_ptr<Judgement> judgement;

    [[nodiscard]] bool stands_on(const Facts& now, const References& sets) const {
        return same_ground(facts, now) && references == sets;
    }
};

Attestation::Verdict Attestation::judge(const attest::EvidenceBundle& evidence, const store::Platform& platform,
                                        const store::Challenge& challenge, std::int64_t minimum_epoch,
                                        References references) const {
    Verdict verdict{facts_of(platform, context_.now(), minimum_epoch), std::move(references), nullptr};
    verdict.facts.keys = references_.key_facts();
    verdict.facts.nonce = challenge.nonce;
    verdict.facts.challenge_id = challenge.id;
    verdict.judgement = std::make_unique<Judgement>(evidence, verdict.facts, verdict.references);
    return verdict;
}

Answer Attestation::evidence(const store::Platform& caller, const Json& body, std::string_view raw_body) const {
    const std::string& platform_id = caller.identity.platform_id;
    const EvidenceBody parsed = TRY(EvidenceBody::parse(body));
    const Result<store::Challenge, ApiError> challenge = take_challenge(parsed.challenge_id(), platform_id);
    if (!challenge) return Failure{challenge.error()};
    const attest::EvidenceBundle bundle = parsed.bundle();
    // Judged before anything is held, since it takes the longest, and again below if the ground has moved meanwhile.
    Verdict verdict = judge(bundle, caller, challenge.value(), minimum_epoch_, references_.seen());
    store::AppraisalRecord record;
    record.platform_id = platform_id;
    record.evidence = raw_body;
    note_log(record, body);
    // From reading the platform's clock and grants to storing new ones: one unit, and one at a time for each platform.
    const auto unit = context_.store.begin();
    std::optional<store::Ground> ground = context_.store.hold_ground(platform_id, minimum_epoch_rule, record.log_hash);
    if (!ground) return refuse(404, "platform_unknown", "no such platform");
    const store::Platform& platform = ground->platform;
    const References references = references_.current(ground->reference_generation);
    minimum_epoch_ = ground->rule;
    Facts held = facts_of(platform, verdict.facts.now, ground->rule);
    held.keys = references_.key_facts();
    if (!verdict.stands_on(held, references))
        verdict = judge(bundle, platform, challenge.value(), ground->rule, references);
    const Judgement& judgement = *verdict.judgement;
    const Facts& facts = verdict.facts;
    Issued issued = judgement.affirming() ? grants_.answer(platform_id, bundle, judgement.appraisal(), std::move(ground->grants)) : Issued{};
    issued.reasons = joined(judgement.reasons(), issued.reasons);
    describe(record, judgement, facts, issued);
    record.log_kept = ground->log_kept;
    record.expectation = to_expectation(facts, references);
    if (results_key_) record.token = sign_result(judgement, {platform_id, facts.nonce, facts.now, context_.settings.result_lifetime}, *results_key_);
    context_.store.add_result(record, judgement.clock(), context_.settings.kept_results);
    context_.audit(platform_id, "verdict", record.challenge_id, record.verdict, summary_of(record));
    const bool heard_again = platform.silent_since != 0 && judgement.affirming();
    if (heard_again) context_.audit("verifier", "silent", platform_id, "over", "raised " + std::to_string(platform.silent_since));
    unit->commit();
    count(issued, record);
    if (heard_again) log(LogLevel::info, "silent_over", {{"platform", platform_id}, {"raised_at", platform.silent_since}});
    if (const LogLevel level = judgement.affirming() ? LogLevel::info : LogLevel::warning; is_logged(level))
        log(level, "appraised", {{"platform", platform_id}, {"verdict", record.verdict}, {"reasons", issued.reasons},
                                 {"grants", issued.grants.size()}});
    return answer_of(judgement, issued, record.token);
}

/// After the commit: what was rolled back did not happen.
void Attestation::count(const Issued& issued, const store::AppraisalRecord& record) const {
    context_.metrics->appraised(record.verdict, issued.reasons);
    for (int i = 0; i < issued.signed_new; ++i) context_.metrics->grant("issued");
    for (int i = 0; i < issued.signed_again; ++i) context_.metrics->grant("reissued");
    for (int i = 0; i < issued.renewals; ++i) context_.metrics->grant("renewed");
}

void Attestation::describe(store::AppraisalRecord& record, const Judgement& judgement, const Facts& facts, const Issued& issued) {
    record.challenge_id = facts.challenge_id;
    record.at = facts.now;
    record.verdict = judgement.verdict();
    record.reasons = issued.reasons.dump();
    record.nonce = facts.nonce;
    record.reference = judgement.reference();
}

Json Attestation::answer_of(const Judgement& judgement, const Issued& issued, const std::string& token) const {
    Json answer{{"verdict", judgement.verdict()}, {"reasons", issued.reasons}, {"explanation", judgement.explanation()},
                {"grants", issued.grants}, {"next_in", next_in(issued)}};
    if (!token.empty()) answer["result"] = token;
    return answer;
}

/// Well before half of the shortest lease, so that one lost exchange costs no device; and as often as the policy wants it.
std::int64_t Attestation::next_in(const Issued& issued) const {
    const std::int64_t lease = std::max<std::int64_t>(1, issued.shortest_lease * 2 / 5);
    const std::int64_t wanted = issued.shortest_lease == 0 ? context_.settings.idle_seconds : lease;
    return issued.attestation_interval == 0 ? wanted : std::min(wanted, issued.attestation_interval);
}

Answer Attestation::orders(const std::string& platform_id) const {
    Json revocations = Json::array();
    for (const store::Grant& grant : context_.store.grants_of(platform_id))
        if (grant.revoked_at != 0 && context_.now() < grant.revoked_at + grant.lease_seconds * 1000 + order_margin)
            revocations.push_back(to_base64(grant.revocation));
    return Json{{"revocations", revocations}};
}

} // namespace casemate::verifier
