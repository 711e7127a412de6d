// SPDX-License-Identifier: Apache-2.0
// Quotes that prove nothing: somebody else's, old ones, forged ones, and those of a TPM whose clock went back.
#include "tests/fleet/misbehaviour.hpp"

namespace casemate::fleet {
namespace {

using measure::TPM_ALG_ID;

/// Good evidence whose quote has other fields, signed by the right AK.
Task<std::string> with_fields(Player& player, void (*bend)(QuoteFields&)) {
    const Challenge challenge = co_await player.challenge();
    VirtualPlatform& platform = player.platform();
    Evidence evidence = platform.evidence(challenge);
    QuoteFields fields = platform.quote_fields(challenge);
    bend(fields);
    evidence.quote = encode(fields, platform.launch().pcrs);
    evidence.signature = platform.tpm().sign(evidence.quote);
    const Reply reply = co_await player.submit(std::move(evidence));
    co_return reply.word();
}

template <auto change>
Task<std::string> bent(Player& player, Player&) {
    return with_fields(player, [](QuoteFields& fields) { change(fields); });
}

constexpr auto wrong_magic = [](QuoteFields& fields) { fields.magic ^= 1; };
template <std::uint16_t type>
constexpr auto typed = [](QuoteFields& fields) { fields.type = type; };
constexpr auto nothing_selected = [](QuoteFields& fields) { fields.selection.clear(); };
constexpr auto pcr_missing = [](QuoteFields& fields) { fields.selection[0].pcrs &= ~(1U << 19); };
constexpr auto bank_twice = [](QuoteFields& fields) { fields.selection.push_back(fields.selection[0]); };
constexpr auto one_bank = [](QuoteFields& fields) { fields.selection.pop_back(); };
constexpr auto sha1_too = [](QuoteFields& fields) { fields.selection.push_back({TPM_ALG_ID::SHA1, fields.selection[0].pcrs}); };
constexpr auto reset_count_back = [](QuoteFields& fields) { --fields.clock.resetCount; };
constexpr auto restart_count_back = [](QuoteFields& fields) { --fields.clock.restartCount; };
constexpr auto clock_back = [](QuoteFields& fields) { fields.clock.clock -= 10'000; };
constexpr auto clock_unsafe = [](QuoteFields& fields) { fields.clock.safe = false; };
constexpr auto other_data = [](QuoteFields& fields) { fields.qualifying_data[0] ^= 1; };

Task<std::string> replay(Player& player, Player&) {
    const Challenge challenge = co_await player.challenge();
    const std::string body = player.platform().evidence_body(challenge);
    const Reply first = co_await player.submit(body);
    if (first.word() != "affirming") co_return "at first " + first.word();
    const Reply again = co_await player.submit(body);
    co_return again.word();
}

/// The evidence of an earlier challenge under the name of a new one.
Task<std::string> stale_nonce(Player& player, Player&) {
    const Challenge old = co_await player.challenge();
    Evidence evidence = player.platform().evidence(old);
    const Challenge fresh = co_await player.challenge();
    evidence.challenge_id = fresh.id;
    const Reply reply = co_await player.submit(std::move(evidence));
    co_return reply.word();
}

/// Another platform quotes for this one's challenge ("cuckoo").
Task<std::string> relay(Player& player, Player& other) {
    const Challenge challenge = co_await player.challenge();
    const Reply reply = co_await player.submit(other.platform().evidence(challenge));
    co_return reply.word();
}

/// And sends it to where that platform's would be good, for a challenge that is not its own.
Task<std::string> others_challenge(Player& player, Player& other) {
    const Challenge challenge = co_await other.challenge();
    const Reply reply = co_await player.submit(player.platform().evidence(challenge));
    co_return reply.word();
}

Task<std::string> other_signer(Player& player, Player&) {
    const Challenge challenge = co_await player.challenge();
    Evidence evidence = player.platform().evidence(challenge);
    const SoftwareTpm stranger{EkKind::ecc_p256};
    evidence.signature = stranger.sign(evidence.quote);
    const Reply reply = co_await player.submit(std::move(evidence));
    co_return reply.word();
}

Task<std::string> bent_signature(Player& player, Player&) {
    const Challenge challenge = co_await player.challenge();
    Evidence evidence = player.platform().evidence(challenge);
    evidence.signature.push_back(0);
    const Reply reply = co_await player.submit(std::move(evidence));
    co_return reply.word();
}

Task<std::string> trailing_byte(Player& player, Player&) {
    const Challenge challenge = co_await player.challenge();
    Evidence evidence = player.platform().evidence(challenge);
    evidence.quote.push_back(0);
    evidence.signature = player.platform().tpm().sign(evidence.quote);
    const Reply reply = co_await player.submit(std::move(evidence));
    co_return reply.word();
}

/// PCRs as they are before any launch, quoted by a good TPM.
Task<std::string> never_launched(Player& player, Player&) {
    const Challenge challenge = co_await player.challenge();
    VirtualPlatform& platform = player.platform();
    Evidence evidence = platform.evidence(challenge);
    evidence.quote = encode(platform.quote_fields(challenge), measure::LaunchPcrs{LaunchModel::banks(), 0xff});
    evidence.signature = platform.tpm().sign(evidence.quote);
    const Reply reply = co_await player.submit(std::move(evidence));
    co_return reply.word();
}

constexpr Misbehaviour table[] = {
    {"replay", "challenge_used", true, replay},
    {"stale-nonce", "contraindicated: nonce_mismatch", true, stale_nonce},
    {"other-qualifying-data", "contraindicated: nonce_mismatch", true, bent<other_data>},
    {"relay-of-another-quote", "contraindicated: signature_invalid", true, relay},
    {"challenge-of-another", "challenge_other_platform", true, others_challenge},
    {"ak-substitution", "contraindicated: signature_invalid", true, other_signer},
    {"signature-with-a-byte-more", "contraindicated: signature_malformed", true, bent_signature},
    {"quote-with-a-byte-more", "contraindicated: quote_malformed", true, trailing_byte},
    {"wrong-magic", "contraindicated: quote_magic", true, bent<wrong_magic>},
    {"attests-a-session-audit", "contraindicated: quote_type", true, bent<typed<0x8016>>},
    {"attests-nv", "contraindicated: quote_type", true, bent<typed<0x8014>>},
    {"attests-a-creation", "contraindicated: quote_type", true, bent<typed<0x801A>>},
    {"attests-a-time", "contraindicated: quote_type", true, bent<typed<0x8019>>},
    {"selection-empty", "contraindicated: pcr_selection", true, bent<nothing_selected>},
    {"selection-without-a-pcr", "contraindicated: pcr_selection", true, bent<pcr_missing>},
    {"selection-of-a-bank-twice", "contraindicated: pcr_selection", true, bent<bank_twice>},
    {"selection-without-a-bank", "contraindicated: pcr_selection", true, bent<one_bank>},
    {"selection-of-sha1", "contraindicated: bank_refused", true, bent<sha1_too>},
    {"reset-count-backwards", "contraindicated: clock_reset_count", true, bent<reset_count_back>},
    {"restart-count-backwards", "contraindicated: clock_restart_count", true, bent<restart_count_back>},
    {"clock-backwards", "contraindicated: clock_value", true, bent<clock_back>},
    {"clock-unsafe", "contraindicated: clock_unsafe", true, bent<clock_unsafe>},
    {"never-launched", "contraindicated: not_launched", true, never_launched},
};

} // namespace

std::span<const Misbehaviour> quote_misbehaviours() { return table; }

} // namespace casemate::fleet
