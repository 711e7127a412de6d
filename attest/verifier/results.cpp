// SPDX-License-Identifier: Apache-2.0
// See results.hpp.
#include "attest/verifier/results.hpp"

#include <charconv>

#include "attest/verifier/encoding.hpp"
#include "attest/verifier/evidence_body.hpp"

namespace casemate::verifier {
namespace {

constexpr std::size_t max_nonce = 64;

Json outcome(const Judgement& judgement) {
    return {{"verdict", judgement.verdict()}, {"reasons", judgement.reasons()}, {"explanation", judgement.explanation()},
            {"reference_id", judgement.reference()}};
}

/// An affirming row's reasons are about gates and leases, which are not appraised again.
bool same(const Judgement& judgement, const store::AppraisalRecord& record) {
    if (record.verdict != judgement.verdict() || record.reference != judgement.reference()) return false;
    return judgement.affirming() || Json::parse(record.reasons) == judgement.reasons();
}

} // namespace

Answer Results::newest(const std::string& platform_id) const {
    const auto record = context_.store.newest_result(platform_id);
    if (!record || record->token.empty()) return refuse(404, "result_unknown", "this platform has no signed result");
    return Json{{"platform_id", platform_id}, {"result_id", record->id}, {"at", record->at}, {"verdict", record->verdict},
                {"result", record->token}};
}

Answer Results::appraise_again(const std::string& result_id, const Principal& actor) const {
    std::int64_t id = 0; // the router has checked the digits
    (void)std::from_chars(result_id.data(), result_id.data() + result_id.size(), id);
    const std::optional<store::AppraisalRecord> record = context_.store.result(id);
    if (!record) return refuse(404, "result_unknown", "no such result, or it was too old to be kept");
    const std::optional<RecordedFacts> recorded = recorded_facts(*record);
    if (!recorded) return refuse(409, "facts_unknown", "this result was stored without what it was judged against");
    const References sets = TRY(references_.archived(recorded->references));
    const Json body = TRY(parse_object(record->evidence));
    const EvidenceBody evidence = TRY(EvidenceBody::parse(body));
    const Judgement judgement{evidence.bundle(), recorded->facts, sets};
    Json answer = outcome(judgement);
    answer["result_id"] = record->id;
    answer["same"] = same(judgement, *record);
    context_.audit(actor, "appraise_again", result_id, judgement.verdict(), answer["same"] ? "as recorded" : "not as recorded");
    answer["recorded"] = {{"verdict", record->verdict}, {"reasons", Json::parse(record->reasons)},
                          {"reference_id", record->reference}};
    return answer;
}

Result<References, ApiError> Results::sets_for(const Json& body) const {
    if (!body.contains("reference")) return references_.current();
    if (!body["reference"].is_object()) return refuse(400, "member", "\"reference\" must be a reference set");
    return References{TRY(references_.tried(body["reference"]))};
}

Answer Results::dry_run(const Json& body, const Principal& actor) const {
    TRY(only_members(body, {"platform_id", "nonce", "evidence", "reference"}, "", "member"));
    const std::string platform_id = TRY(text_member(body, "platform_id", 64));
    const Bytes nonce = TRY(bytes_member(body, "nonce", max_nonce));
    if (!body.contains("evidence") || !body["evidence"].is_object())
        return refuse(400, "member", "\"evidence\" must be the body of an evidence request");
    const EvidenceBody evidence = TRY(EvidenceBody::parse(body["evidence"]));
    const References sets = TRY(sets_for(body));
    const std::optional<store::Platform> platform = context_.store.platform(platform_id);
    if (!platform) return refuse(404, "platform_unknown", "no such platform");
    Facts facts = facts_of(*platform, context_);
    (void)references_.current(); // brings the keys up to date, also for a set that is only tried
    facts.keys = references_.key_facts();
    facts.nonce = nonce;
    facts.challenge_id = evidence.challenge_id();
    const Judgement judgement{evidence.bundle(), facts, sets};
    context_.audit(actor, "dry_run", platform_id, judgement.verdict(), judgement.explanation());
    return outcome(judgement);
}

} // namespace casemate::verifier
