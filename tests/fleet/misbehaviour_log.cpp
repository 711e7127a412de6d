// SPDX-License-Identifier: Apache-2.0
// Logs, gates and leases that are not what the TPM saw; the quotes are good.
#include <algorithm>

#include "tests/fleet/misbehaviour.hpp"

namespace casemate::fleet {
namespace {

constexpr std::size_t type_offset = 4; // in TCG_PCR_EVENT2 [TCG-PFP 10.2.2]
constexpr std::size_t before_digests = 12;

/// Bytes of an event with data of this size, in a log with sha1, sha256 and sha384.
std::size_t event_size(std::size_t data) { return before_digests + (2 + 20) + (2 + 32) + (2 + 48) + 4 + data; }

/// Where the log's last event begins.
std::size_t last_event(const Bytes& log) {
    auto reader = measure::EventLogReader::open(log);
    std::size_t size = 0;
    while (reader.ok() && !reader.value().at_end()) {
        const auto event = reader.value().next();
        if (!event.ok()) throw std::runtime_error("the fleet made a log that does not parse");
        size = event_size(event.value().data.size());
    }
    return log.size() - size;
}

void repeat_last_event(Bytes& log) {
    const Bytes event(log.begin() + static_cast<std::ptrdiff_t>(last_event(log)), log.end());
    log.insert(log.end(), event.begin(), event.end());
}

Task<std::string> submitted(Player& player, void (*bend)(Evidence&, Player&), Player& other) {
    const Challenge challenge = co_await player.challenge();
    Evidence evidence = player.platform().evidence(challenge);
    bend(evidence, other);
    const Reply reply = co_await player.submit(std::move(evidence));
    co_return reply.word();
}

template <auto change>
Task<std::string> bent(Player& player, Player& other) {
    return submitted(player, [](Evidence& evidence, Player& innocent) { change(evidence, innocent); }, other);
}

constexpr auto cut_inside = [](Evidence& evidence, Player&) { evidence.log.pop_back(); };
constexpr auto cut_event = [](Evidence& evidence, Player&) { evidence.log.resize(last_event(evidence.log)); };
constexpr auto one_byte = [](Evidence& evidence, Player&) { evidence.log.resize(1); };
constexpr auto padded = [](Evidence& evidence, Player&) { evidence.log.resize(evidence.log.size() + 64); };
constexpr auto repeated = [](Evidence& evidence, Player&) { repeat_last_event(evidence.log); };
/// To EV_NO_ACTION, which is not extended in other logs: the digests still replay.
constexpr auto other_type = [](Evidence& evidence, Player&) {
    evidence.log[last_event(evidence.log) + type_offset] = 0x03;
    for (std::size_t i = 1; i < 4; ++i) evidence.log[last_event(evidence.log) + type_offset + i] = 0;
};
constexpr auto other_pcr = [](Evidence& evidence, Player&) { evidence.log[last_event(evidence.log)] = 18; };
/// A record about PCR 16, which no quote covers.
constexpr auto unquoted_pcr = [](Evidence& evidence, Player&) {
    repeat_last_event(evidence.log);
    evidence.log[last_event(evidence.log)] = 16;
};
constexpr auto other_data = [](Evidence& evidence, Player&) { evidence.log.back() ^= 1; };
constexpr auto endless_event = [](Evidence& evidence, Player&) {
    const std::size_t size_field = last_event(evidence.log) + event_size(0) - 4;
    std::fill_n(evidence.log.begin() + static_cast<std::ptrdiff_t>(size_field), 4, std::uint8_t{0xff});
};
constexpr auto log_of_another = [](Evidence& evidence, Player& other) { evidence.log = other.platform().launch().log; };
constexpr auto no_gate = [](Evidence& evidence, Player&) { evidence.gates = {Bytes(16, 0xa0)}; };
constexpr auto lease_of_another = [](Evidence& evidence, Player& other) { evidence.leases = other.platform().launch().leases; };

constexpr Misbehaviour table[] = {
    {"log-cut-inside-an-event", "contraindicated: log_malformed", true, bent<cut_inside>},
    {"log-without-its-last-event", "contraindicated: log_replay", true, bent<cut_event>},
    {"log-of-one-byte", "contraindicated: log_malformed", true, bent<one_byte>},
    {"log-with-zeros-after-it", "contraindicated: log_malformed", true, bent<padded>},
    {"log-with-an-event-twice", "contraindicated: log_replay", true, bent<repeated>},
    {"event-of-another-type", "contraindicated: event_type", true, bent<other_type>},
    {"event-of-another-pcr", "contraindicated: log_replay", true, bent<other_pcr>},
    {"event-of-a-pcr-not-quoted", "contraindicated: event_pcr", true, bent<unquoted_pcr>},
    {"event-with-other-data", "contraindicated: event_digest", true, bent<other_data>},
    {"event-without-end", "contraindicated: log_malformed", true, bent<endless_event>},
    {"log-of-another-platform", "contraindicated: nonce_mismatch", true, bent<log_of_another>},
    {"gate-that-is-none", "affirming: gate_malformed", true, bent<no_gate>},
    {"lease-of-another-platform", "affirming: lease_not_held lease_not_held", true, bent<lease_of_another>},
};

} // namespace

std::span<const Misbehaviour> log_misbehaviours() { return table; }

} // namespace casemate::fleet
