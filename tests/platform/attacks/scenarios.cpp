// SPDX-License-Identifier: Apache-2.0
// One boot, every attack from the agent's place: lies about the platform to the verifier, then false grants to the hypervisor, then
// the honest ones, which still work.
#include "tests/platform/attacks/evidence_attacks.hpp"
#include "tests/platform/attacks/forgeries.hpp"

namespace casemate::platform_test {

namespace {

using std::chrono::seconds;

std::optional<Forger> forger(Context& context) {
    auto key = cose::Signer::from_pem_file(session::Artefacts{context.build()}.keys() / "grant.pem");
    auto stranger = cose::Signer::generate();
    if (!context.expect(key.ok() && stranger.ok(), "the development grant key is there")) return std::nullopt;
    return Forger{std::move(key).value(), std::move(stranger).value()};
}

void expect_evidence_refused(Context& context, const std::vector<Outcome>& outcomes) {
    for (const Outcome& outcome : outcomes)
        context.expect(outcome.words == outcome.attack.words && outcome.verdict != "affirming",
                       outcome.attack.name + ": the verifier says " + outcome.attack.words + " (it said " + outcome.words + ")");
}

/// The hypervisor's answers, as its own console says them: each message that it refused, in order.
std::vector<unsigned> refusals(const Observation& seen) {
    std::vector<unsigned> reasons;
    for (const auto& each : seen.events)
        if (each.event.name == "grant_refused") reasons.push_back(static_cast<unsigned>(std::stoul("0" + each.event.get("reason"))));
    return reasons;
}

std::size_t to_be_refused(const std::vector<Forgery>& sent) {
    return static_cast<std::size_t>(
        std::count_if(sent.begin(), sent.end(), [](const Forgery& each) { return each.expected != grant::GrantError::none; }));
}

/// Waits until at least `least` messages that must be refused were put before the hypervisor, and all were answered; then each refusal
/// must be the expected one. The first `judged` were looked at before.
void expect_refusals(Context& context, Session& session, const Attacker& attacker, std::size_t least, std::size_t judged = 0) {
    const bool answered = session.run_until(
        [&](const Observation& s) {
            const std::size_t refused = to_be_refused(attacker.sent());
            return refused >= least && refusals(s).size() >= refused;
        },
        seconds{180});
    context.expect(answered, "the hypervisor answers every message");
    const std::vector<unsigned> reasons = refusals(session.seen());
    std::size_t at = 0;
    for (const Forgery& each : attacker.sent()) {
        if (each.expected == grant::GrantError::none || at++ < judged) continue;
        const auto expected = static_cast<unsigned>(each.expected);
        const std::string seen = at <= reasons.size() ? std::to_string(reasons[at - 1]) : "nothing";
        context.expect(at <= reasons.size() && reasons[at - 1] == expected,
                       "a grant " + each.name + ": the hypervisor refuses it with " + std::to_string(expected) + " (" +
                           grant::describe(each.expected) + "), it said " + seen);
    }
}

/// Collects the verifier's renewals of a while and hands the newest in first: all others are then worth nothing.
Attacker::Forge piled_up_renewals() {
    return [pile = std::vector<std::vector<Bytes>>{}](const Json&, const std::vector<Bytes>& honest) mutable {
        std::vector<Forgery> all;
        if (honest.size() == 2) pile.push_back(honest); // one for each device
        if (pile.size() < 4) return all;
        for (const Bytes& newest : pile.back()) all.push_back({"renewed", newest, grant::GrantError::none});
        for (std::size_t i = 0; i + 1 < pile.size(); ++i)
            for (const Bytes& older : pile[i]) all.push_back({"renewed from the pile", older, grant::GrantError::evidence_order});
        return all;
    };
}

const Registration attacks{"evidence-and-grants-that-were-tampered-with-on-the-way-are-refused-each-for-its-reason", [](Context& context) {
    const OtherTpm other;
    if (!context.expect(other.ready(), "another platform's TPM has an attestation key")) return;
    const auto forge = forger(context);
    if (!forge) return;
    const auto planned = evidence_attacks(other);
    Attacker attacker{planned};
    SessionConfig config = standard(context);
    config.carrier = attacker.carrier();
    const auto session = begin(context, std::move(config));
    if (!session) return;

    const bool tried = session->run_until([&](const Observation&) { return attacker.outcomes().size() == planned.size(); }, seconds{240});
    context.expect(tried, "every attack on the evidence reaches the verifier");
    expect_evidence_refused(context, attacker.outcomes());
    expect_no_hand_over(context, *session);

    attacker.answer_with([&](const Json&, const std::vector<Bytes>& honest) { return forge->before_hand_over(honest); });
    expect_refusals(context, *session, attacker, 130);
    expect_no_hand_over(context, *session);

    const std::size_t false_grants = to_be_refused(attacker.sent());
    attacker.answer_with([&](const Json&, const std::vector<Bytes>& honest) { return forge->hand_over(honest); });
    context.expect(session->run_until(both_assigned, seconds{120}), "the honest grants still hand both devices over");
    expect_refusals(context, *session, attacker, to_be_refused(attacker.sent()), false_grants);

    const std::size_t used_grants = to_be_refused(attacker.sent());
    attacker.answer_with(piled_up_renewals());
    expect_refusals(context, *session, attacker, used_grants + 6, used_grants);
    context.expect(session->seen().count("draining") == 0, "and both devices are where they were");

    const std::size_t late_renewals = to_be_refused(attacker.sent());
    constexpr std::uint8_t disk = 4; // it has a reset: its gate opens again for the same VM, and with another nonce
    attacker.answer_with([&](const Json&, const std::vector<Bytes>& honest) { return forge->revocation_of(honest, disk); });
    const auto revoked = [](const Observation& s) { return s.find("quarantined", {{"device", "00:04.0"}}) != nullptr; };
    context.expect(session->run_until(revoked, seconds{120}), "the disk is revoked");
    const auto before = attacker.sent().back();
    attacker.answer_with([&](const Json&, const std::vector<Bytes>& honest) { return forge->with_nonce_of(before.message, honest); });
    expect_refusals(context, *session, attacker, late_renewals + 1, late_renewals);
    const auto again = [](const Observation& s) { return s.find("vm_started", {{"vm", "disk0"}, {"start", "2"}}) != nullptr; };
    context.expect(session->run_until(again, seconds{120}), "and the honest grant hands it over again");
}};

const Registration unmeasured{"a-hypervisor-started-without-skinit-refuses-even-the-verifiers-own-grants", [](Context& context) {
    const auto forge = forger(context);
    if (!forge) return;
    Attacker attacker{{}};
    attacker.answer_with([&](const Json& evidence, const std::vector<Bytes>&) {
        return forge->for_gates(evidence, grant::GrantError::launch_not_measured);
    });
    SessionConfig config = standard(context);
    config.skinit = model::SkinitMode::unmeasured;
    config.carrier = attacker.carrier();
    const auto session = begin(context, std::move(config));
    if (!session) return;
    expect_refusals(context, *session, attacker, 2);
    const std::set<std::string> reasons = newest_reasons(*session);
    context.expect(reasons == std::set<std::string>{"launch_kind", "not_launched"}, "the verifier says not_launched, and launch_kind as the hypervisor's own word");
    expect_no_hand_over(context, *session);
}};

} // namespace

} // namespace casemate::platform_test
