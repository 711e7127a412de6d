// SPDX-License-Identifier: Apache-2.0
// An attacker where agent and relay are: every message between them and the verifier passes through its hands, both ways.
// Evidence: it bends what the agent sends, notes what the verifier says, and tells the agent to try again.
// Grants: it puts messages of its own making before the hypervisor. Whatever it is not told to do it passes on quietly:
// evidence goes through, grants stay with it.
// The carrier runs in the relay's thread; everything else may be called from the scenario's.
#pragma once

#include "attest/grant/grant.hpp"
#include "attest/relay/relay.hpp"

#include <nlohmann/json.hpp>

#include <deque>
#include <mutex>
#include <string>
#include <vector>

namespace casemate::platform_test {

using Json = nlohmann::json;
using Bytes = std::vector<std::uint8_t>;

/// What the attacker has seen so far, unchanged.
struct Overheard {
    Json challenge; // the verifier's newest
    Json earlier;   // the evidence before this one
};

struct EvidenceAttack {
    std::string name;
    std::string words; // all that the verifier must say, in its order
    std::function<void(Json& evidence, const Overheard&)> bend_evidence = {};
    std::function<void(Json& challenge)> bend_challenge = {}; // before the agent sees it
};

/// What became of an attack on evidence.
struct Outcome {
    EvidenceAttack attack;
    std::string verdict; // "contraindicated", "affirming" or "refused"
    std::string words;
};

/// A message for the hypervisor, and what it must say to it.
struct Forgery {
    std::string name;
    Bytes message;
    grant::GrantError expected = grant::GrantError::none;
};

class Attacker {
public:
    using Forge = std::function<std::vector<Forgery>(const Json& evidence, const std::vector<Bytes>& honest_grants)>;

    explicit Attacker(std::vector<EvidenceAttack> attacks) : attacks_{attacks.begin(), attacks.end()} {}

    /// It must outlive the session.
    [[nodiscard]] relay::Carrier carrier();
    /// The next evidence that is passed on is answered with what `forge` makes of it, in as many answers as it takes.
    void answer_with(Forge forge);

    [[nodiscard]] std::vector<Outcome> outcomes() const;
    [[nodiscard]] std::vector<Forgery> sent() const;

private:
    relay::VerifierAnswer challenge(const relay::VerifierCall& call, const relay::Verifier& verifier);
    relay::VerifierAnswer evidence(const relay::VerifierCall& call, const relay::Verifier& verifier);
    relay::VerifierAnswer bent(relay::VerifierCall call, const Json& honest, const relay::Verifier& verifier);
    Json messages_for(const Json& evidence, const Json& answer);

    mutable std::mutex lock_;
    std::deque<EvidenceAttack> attacks_;
    std::vector<Outcome> outcomes_;
    Overheard overheard_;
    Forge forge_;
    std::deque<Forgery> waiting_;
    std::vector<Forgery> sent_;
};

} // namespace casemate::platform_test
