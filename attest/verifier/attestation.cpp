// SPDX-License-Identifier: Apache-2.0
// See attestation.hpp.
#include "attest/verifier/attestation.hpp"

#include "attest/verifier/encoding.hpp"
#include "attest/verifier/evidence_body.hpp"
#include "attest/verifier/log.hpp"
#include "attest/verifier/tpm_public.hpp"

namespace casemate::verifier {
namespace {

using measure::TPM_ALG_ID;

constexpr std::size_t nonce_size = 32;
constexpr Millis order_margin = 60'000; // an order stays this long after the lease is over

/// The banks of the enrolment that every quote must cover; sha1 proves nothing and is not asked for.
measure::Banks quoted_banks(const std::string& enrolled) {
    measure::Banks banks;
    for (const TPM_ALG_ID bank : {TPM_ALG_ID::SHA256, TPM_ALG_ID::SHA384, TPM_ALG_ID::SHA512})
        if (enrolled.find(measure::name_of(bank)) != std::string::npos) (void)banks.add(bank);
    return banks;
}

Json selection_of(const measure::Banks& banks) {
    Json selection = Json::object();
    for (const TPM_ALG_ID bank : banks) selection[measure::name_of(bank)] = {17, 18, 19, 20, 21, 22};
    return selection;
}

std::optional<attest::TPMS_CLOCK_INFO> clock_of(const store::Platform& platform) {
    if (!platform.last_clock) return std::nullopt;
    attest::TPMS_CLOCK_INFO clock;
    clock.clock = static_cast<std::uint64_t>(platform.last_clock->clock);
    clock.resetCount = static_cast<std::uint32_t>(platform.last_clock->reset_count);
    clock.restartCount = static_cast<std::uint32_t>(platform.last_clock->restart_count);
    clock.safe = true;
    return clock;
}

std::optional<store::ClockInfo> stored(const std::optional<attest::TPMS_CLOCK_INFO>& clock) {
    if (!clock) return std::nullopt;
    return store::ClockInfo{static_cast<std::int64_t>(clock->clock), clock->resetCount, clock->restartCount};
}

Json reasons_of(const attest::Appraisal& appraisal) {
    Json reasons = Json::array();
    for (const attest::Reason& reason : appraisal.reasons) {
        std::string detail{reason.component.view()};
        const std::string_view expected = reason.expected.view();
        const std::string_view seen = reason.seen.view();
        if (!expected.empty()) detail.append(": expected ").append(expected);
        if (!seen.empty()) detail.append(expected.empty() ? ": seen " : ", seen ").append(seen);
        reasons.push_back({{"code", attest::name_of(reason.error)}, {"detail", detail}});
    }
    return reasons;
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

const char* word(attest::Verdict verdict) {
    return verdict == attest::Verdict::affirming ? "affirming" : "contraindicated";
}

measure::P256PublicKey key_of(const store::Platform& platform) {
    const Result<AttestationKey, KeyError> ak = parse_attestation_key(tpm2b(platform.identity.ak_public));
    if (!ak) throw CryptoFailure("the stored AK does not parse");
    Result<measure::P256PublicKey, measure::KeyError> key = measure::P256PublicKey::create(ak.value().point);
    if (!key) throw CryptoFailure("the stored AK is no key");
    return std::move(key).value();
}

std::vector<attest::ReferenceSet> sets_of(const References& references) {
    std::vector<attest::ReferenceSet> sets;
    for (const auto& reference : references) sets.push_back(reference->set());
    return sets;
}

} // namespace

Answer Attestation::challenge(const std::string& platform_id) const {
    const std::optional<store::Platform> platform = context_.store.platform(platform_id);
    if (!platform) return refuse(404, "platform_unknown", "no such platform");
    const Millis now = context_.now();
    const store::Challenge challenge{to_hex(random_bytes(16)), platform_id, random_bytes(nonce_size),
                                     now + context_.settings.challenge_lifetime};
    context_.store.add_challenge(challenge, now);
    return Json{{"challenge_id", challenge.id},
                {"nonce", to_base64(challenge.nonce)},
                {"pcr_selection", selection_of(quoted_banks(platform->identity.banks))},
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

Answer Attestation::evidence(const std::string& platform_id, const Json& body, const std::string& raw_body) const {
    const EvidenceBody parsed = TRY(EvidenceBody::parse(body));
    const Result<store::Challenge, ApiError> challenge = take_challenge(parsed.challenge_id(), platform_id);
    if (!challenge) return Failure{challenge.error()};
    // From reading the platform's clock and grants to storing new ones: one unit, and one at a time for each platform.
    const auto unit = context_.store.begin();
    context_.store.hold_platform(platform_id);
    const std::optional<store::Platform> platform = context_.store.platform(platform_id);
    if (!platform) return refuse(404, "platform_unknown", "no such platform");
    const References references = references_.current();
    const std::vector<attest::ReferenceSet> sets = sets_of(references);
    const measure::P256PublicKey key = key_of(*platform);
    const attest::EvidenceBundle bundle = parsed.bundle();
    const auto appraisal = std::make_unique<attest::Appraisal>(); // too large for a stack
    attest::appraise(bundle,
                     {key, challenge.value().nonce, challenge.value().id, quoted_banks(platform->identity.banks),
                      clock_of(*platform), sets},
                     *appraisal);
    const bool affirming = appraisal->verdict == attest::Verdict::affirming;
    Issued issued = affirming ? grants_.answer(platform_id, bundle, *appraisal) : Issued{};
    issued.reasons = joined(reasons_of(*appraisal), issued.reasons);
    remember(challenge.value(), *appraisal, issued, raw_body);
    unit->commit();
    return Json{{"verdict", word(appraisal->verdict)}, {"reasons", issued.reasons}, {"grants", issued.grants},
                {"next_in", next_in(issued)}};
}

void Attestation::remember(const store::Challenge& challenge, const attest::Appraisal& appraisal, const Issued& issued,
                           const std::string& raw_body) const {
    const bool affirming = appraisal.verdict == attest::Verdict::affirming;
    store::AppraisalRecord record;
    record.platform_id = challenge.platform_id;
    record.challenge_id = challenge.id;
    record.at = context_.now();
    record.verdict = word(appraisal.verdict);
    record.reasons = issued.reasons.dump();
    record.evidence = raw_body;
    record.nonce = challenge.nonce;
    if (affirming) record.reference = appraisal.reference->name;
    context_.store.add_result(record, stored(appraisal.clock), context_.settings.kept_results);
    context_.audit(challenge.platform_id, "verdict", challenge.id, record.verdict, summary_of(record));
    log(affirming ? LogLevel::info : LogLevel::warning, "appraised",
        {{"platform", record.platform_id}, {"verdict", record.verdict}, {"reasons", issued.reasons},
         {"grants", issued.grants.size()}});
}

/// Well before half of the shortest lease, so that one lost exchange costs no device.
std::int64_t Attestation::next_in(const Issued& issued) const {
    if (issued.shortest_lease == 0) return context_.settings.idle_seconds;
    return std::max<std::int64_t>(1, issued.shortest_lease * 2 / 5);
}

Answer Attestation::orders(const std::string& platform_id) const {
    Json revocations = Json::array();
    for (const store::Grant& grant : context_.store.grants_of(platform_id))
        if (grant.revoked_at != 0 && context_.now() < grant.revoked_at + grant.lease_seconds * 1000 + order_margin)
            revocations.push_back(to_base64(grant.revocation));
    return Json{{"revocations", revocations}};
}

} // namespace casemate::verifier
