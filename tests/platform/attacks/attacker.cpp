// SPDX-License-Identifier: Apache-2.0
// See attacker.hpp.
#include "tests/platform/attacks/attacker.hpp"

#include "attest/relay/encoding.hpp"

namespace casemate::platform_test {

namespace {

using relay::Verifier;
using relay::VerifierAnswer;
using relay::VerifierCall;

constexpr std::size_t messages_an_answer = 60; // the agent takes 64

/// What the agent gets when it shall try again soon.
Json quiet() { return {{"verdict", "contraindicated"}, {"reasons", Json::array()}, {"grants", Json::array()}, {"next_in", 1}}; }

VerifierAnswer answer_of(const Json& body) { return {200, body.dump()}; }

std::string words_of(const Json& body) {
    if (body.contains("error")) return body["error"].value("code", "");
    std::string words;
    for (const Json& reason : body.value("reasons", Json::array())) words += (words.empty() ? "" : " ") + reason.value("code", "");
    return words;
}

} // namespace

relay::Carrier Attacker::carrier() {
    return [this](const VerifierCall& call, const Verifier& verifier) {
        const std::lock_guard guard{lock_};
        if (call.path.ends_with("/challenges")) return challenge(call, verifier);
        if (call.path.ends_with("/evidence")) return evidence(call, verifier);
        return verifier(call);
    };
}

void Attacker::answer_with(Forge forge) {
    const std::lock_guard guard{lock_};
    forge_ = std::move(forge);
}

std::vector<Outcome> Attacker::outcomes() const {
    const std::lock_guard guard{lock_};
    return outcomes_;
}

std::vector<Forgery> Attacker::sent() const {
    const std::lock_guard guard{lock_};
    return sent_;
}

VerifierAnswer Attacker::challenge(const VerifierCall& call, const Verifier& verifier) {
    const VerifierAnswer answer = verifier(call);
    Json body = Json::parse(answer.body, nullptr, false);
    if (answer.status != 200 || !body.is_object()) return answer;
    overheard_.challenge = body;
    if (!attacks_.empty() && attacks_.front().bend_challenge) attacks_.front().bend_challenge(body);
    return answer_of(body);
}

VerifierAnswer Attacker::evidence(const VerifierCall& call, const Verifier& verifier) {
    const Json honest = Json::parse(call.body);
    if (!attacks_.empty()) return bent(call, honest, verifier);
    const VerifierAnswer answer = verifier(call);
    Json body = Json::parse(answer.body, nullptr, false);
    if (answer.status != 200 || !body.is_object()) return answer;
    body["grants"] = messages_for(honest, body);
    body["next_in"] = 1;
    return answer_of(body);
}

VerifierAnswer Attacker::bent(VerifierCall call, const Json& honest, const Verifier& verifier) {
    const EvidenceAttack attack = attacks_.front();
    attacks_.pop_front();
    Json body = honest;
    if (attack.bend_evidence) attack.bend_evidence(body, overheard_);
    overheard_.earlier = honest;
    call.body = body.dump();
    const VerifierAnswer answer = verifier(call);
    const Json said = Json::parse(answer.body, nullptr, false);
    if (said.is_object()) outcomes_.push_back({attack, said.value("verdict", "refused"), words_of(said)});
    else outcomes_.push_back({attack, "no answer", answer.body});
    return answer_of(quiet());
}

Json Attacker::messages_for(const Json& evidence, const Json& answer) {
    if (forge_ && waiting_.empty()) {
        std::vector<Bytes> honest;
        for (const Json& grant : answer.value("grants", Json::array()))
            honest.push_back(relay::from_base64(grant.get<std::string>()).value_or(Bytes{}));
        for (Forgery& forgery : forge_(evidence, honest)) waiting_.push_back(std::move(forgery));
        if (!waiting_.empty()) forge_ = {};
    }
    Json messages = Json::array();
    while (!waiting_.empty() && messages.size() < messages_an_answer) {
        messages.push_back(relay::to_base64(waiting_.front().message));
        sent_.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    return messages;
}

} // namespace casemate::platform_test
