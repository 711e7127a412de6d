// SPDX-License-Identifier: Apache-2.0
// See judgement.hpp.
#include "attest/verifier/judgement.hpp"

#include <algorithm>

#include "attest/verifier/encoding.hpp"
#include "attest/verifier/explanation.hpp"
#include "attest/verifier/json_text.hpp"
#include "attest/verifier/tpm_public.hpp"

namespace casemate::verifier {
namespace {

using measure::TPM_ALG_ID;

std::optional<attest::TPMS_CLOCK_INFO> clock_of(const std::optional<store::ClockInfo>& stored) {
    if (!stored) return std::nullopt;
    attest::TPMS_CLOCK_INFO clock;
    clock.clock = static_cast<std::uint64_t>(stored->clock);
    clock.resetCount = static_cast<std::uint32_t>(stored->reset_count);
    clock.restartCount = static_cast<std::uint32_t>(stored->restart_count);
    clock.safe = true;
    return clock;
}

thread_local std::unique_ptr<attest::Appraisal> spare;

measure::P256PublicKey key_of(const Bytes& ak_public) {
    const Result<AttestationKey, KeyError> ak = parse_attestation_key(tpm2b(ak_public));
    if (!ak) throw CryptoFailure("the stored AK does not parse");
    Result<measure::P256PublicKey, measure::KeyError> key = measure::P256PublicKey::create(ak.value().point);
    if (!key) throw CryptoFailure("the stored AK is no key");
    return std::move(key).value();
}

/// `{grant_key, rows: [[key, purpose, not_before, not_after, revoked], ...]}`: as stored with a result.
Json to_json(const KeyFacts& facts) {
    Json rows = Json::array();
    for (const attest::RegisteredKey& key : facts.keys)
        rows.push_back({to_hex(key.id), static_cast<int>(key.purpose), key.not_before, key.not_after, key.revoked});
    return {{"grant_key", to_hex(*facts.grant_key)}, {"rows", rows}};
}

attest::KeyId key_id_of(const Json& hex) {
    attest::KeyId id{};
    const Bytes bytes = from_hex(hex.get<std::string>()).value_or(Bytes{});
    std::copy_n(bytes.begin(), std::min(bytes.size(), id.size()), id.begin());
    return id;
}

KeyFacts key_facts_of(const Json& kept) {
    KeyFacts facts;
    facts.grant_key = key_id_of(kept["grant_key"]);
    for (const Json& row : kept["rows"])
        facts.keys.push_back({key_id_of(row[0]), static_cast<attest::KeyPurpose>(row[1].get<int>()), row[2], row[3], row[4]});
    return facts;
}

Json reason_of(const attest::Reason& reason) {
    std::string detail{reason.component.view()};
    const std::string_view expected = reason.expected.view();
    const std::string_view seen = reason.seen.view();
    if (!expected.empty()) detail.append(": expected ").append(expected);
    if (!seen.empty()) detail.append(expected.empty() ? ": seen " : ", seen ").append(seen);
    return {{"code", attest::name_of(reason.error)}, {"detail", detail}};
}

} // namespace

measure::Banks quoted_banks(const std::string& enrolled) {
    measure::Banks banks;
    for (const TPM_ALG_ID bank : {TPM_ALG_ID::SHA256, TPM_ALG_ID::SHA384, TPM_ALG_ID::SHA512})
        if (enrolled.find(measure::name_of(bank)) != std::string::npos) (void)banks.add(bank);
    return banks;
}

Facts facts_of(const store::Platform& platform, const Context& context) {
    return facts_of(platform, context.now(), context.store.rule(minimum_epoch_rule));
}

Facts facts_of(const store::Platform& platform, Millis now, std::int64_t minimum_epoch) {
    Facts facts;
    facts.ak_public = platform.identity.ak_public;
    facts.banks = platform.identity.banks;
    facts.previous_clock = platform.last_clock;
    facts.state = platform.state;
    facts.now = now;
    facts.minimum_epoch = minimum_epoch;
    return facts;
}

bool same_ground(const Facts& a, const Facts& b) {
    return a.ak_public == b.ak_public && a.banks == b.banks && a.previous_clock == b.previous_clock && a.state == b.state &&
           a.minimum_epoch == b.minimum_epoch && a.keys == b.keys;
}

std::string to_expectation(const Facts& facts, const References& references) {
    Json clock = nullptr;
    if (facts.previous_clock)
        clock = {facts.previous_clock->clock, facts.previous_clock->reset_count, facts.previous_clock->restart_count};
    Json ids = Json::array();
    for (const auto& reference : references) ids.push_back(reference->id());
    JsonText expectation;
    expectation.text("ak_public", to_base64(facts.ak_public))
        .text("banks", facts.banks)
        .raw("previous_clock", clock.dump())
        .text("state", facts.state)
        .number("now", facts.now)
        .number("minimum_epoch", facts.minimum_epoch)
        .raw("references", ids.dump());
    if (!facts.keys.keys.empty()) expectation.raw("keys", to_json(facts.keys).dump());
    return expectation.object();
}

std::optional<RecordedFacts> recorded_facts(const store::AppraisalRecord& record) {
    if (record.expectation.empty()) return std::nullopt;
    const Json kept = Json::parse(record.expectation);
    RecordedFacts recorded;
    Facts& facts = recorded.facts;
    facts.ak_public = from_base64(kept["ak_public"].get<std::string>()).value_or(Bytes{});
    facts.banks = kept["banks"];
    facts.nonce = record.nonce;
    facts.challenge_id = record.challenge_id;
    if (const Json& clock = kept["previous_clock"]; clock.is_array())
        facts.previous_clock = store::ClockInfo{clock[0], clock[1], clock[2]};
    facts.state = kept["state"];
    facts.now = kept["now"];
    facts.minimum_epoch = kept["minimum_epoch"];
    if (kept.contains("keys")) facts.keys = key_facts_of(kept["keys"]);
    recorded.references = kept["references"].get<std::vector<std::string>>();
    return recorded;
}

Judgement::Judgement(const attest::EvidenceBundle& evidence, const Facts& facts, References references)
    : references_{std::move(references)}, appraisal_{blank()} {
    for (const auto& reference : references_) sets_.push_back(reference->set());
    if (facts.state != "active") {
        reasons_.push_back({{"code", "platform_" + facts.state}, {"detail", "an operator took the platform out of service"}});
        explanation_ = "Refused: this platform is " + facts.state + ". An owner can reinstate it.";
        return;
    }
    appraise(evidence, facts);
}

void Judgement::Kept::operator()(attest::Appraisal* appraisal) const { spare.reset(appraisal); }

std::unique_ptr<attest::Appraisal, Judgement::Kept> Judgement::blank() {
    std::unique_ptr<attest::Appraisal, Kept> appraisal{spare ? spare.release() : new attest::Appraisal};
    appraisal->clear();
    return appraisal;
}

void Judgement::appraise(const attest::EvidenceBundle& evidence, const Facts& facts) {
    const measure::P256PublicKey key = key_of(facts.ak_public);
    const attest::ReferenceRules rules{static_cast<std::uint64_t>(facts.now), static_cast<std::uint64_t>(facts.minimum_epoch),
                                       facts.keys.keys, facts.keys.grant_key};
    attest::appraise(evidence,
                     {key, facts.nonce, facts.challenge_id, quoted_banks(facts.banks), clock_of(facts.previous_clock),
                      sets_, rules},
                     *appraisal_);
    for (const attest::Reason& reason : appraisal_->reasons) reasons_.push_back(reason_of(reason));
    explanation_ = explanation_of(*appraisal_);
}

std::optional<store::ClockInfo> Judgement::clock() const {
    if (!appraisal_->clock) return std::nullopt;
    const attest::TPMS_CLOCK_INFO& clock = *appraisal_->clock;
    return store::ClockInfo{static_cast<std::int64_t>(clock.clock), clock.resetCount, clock.restartCount};
}

std::string Judgement::reference() const {
    return affirming() ? std::string{appraisal_->reference->name} : std::string{};
}

} // namespace casemate::verifier
