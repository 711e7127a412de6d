// SPDX-License-Identifier: Apache-2.0
// Implements protocol.hpp but for enrolment: challenge, evidence, grants, orders.
#include "attest/agent/protocol.hpp"

#include "attest/agent/console.hpp"
#include "attest/agent/json_fields.hpp"
#include "attest/agent/report.hpp"
#include "attest/relay/encoding.hpp"
#include "dlaunch/measure/crypto.hpp"

#include <algorithm>

namespace casemate::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int snapshot_tries = 5;
constexpr seconds usual_interval{30};
constexpr milliseconds shortest_interval{500};
constexpr std::size_t max_refusals_kept = 16;
constexpr unsigned firmware_pcrs = 8; // PCR 0-7 [TCG-PFP 3.3.4]

ByteView view(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

/// SHA-256(nonce || launch_id || SHA-256(challenge_id)): binds the quote to this session of this launch.
Bytes qualifying_data(ByteView nonce, ByteView launch_id, const std::string& challenge_id) {
    const auto session = measure::sha256(view(challenge_id));
    Bytes all{nonce.begin(), nonce.end()};
    all.insert(all.end(), launch_id.begin(), launch_id.end());
    all.insert(all.end(), session.begin(), session.end());
    const auto digest = measure::sha256(all);
    return {digest.begin(), digest.end()};
}

Outcome<PcrSelection> selection_of(const Json& body) {
    if (!body.is_object() || !body.contains("pcr_selection")) return fail("the challenge has no pcr_selection");
    PcrSelection selection;
    for (const auto& [bank, indices] : body["pcr_selection"].items()) {
        for (const Json& index : indices) {
            if (!index.is_number_unsigned()) return fail("the challenge's pcr_selection is malformed");
            selection[bank].push_back(index.get<unsigned>());
        }
    }
    return selection;
}

bool asks_for_firmware(const PcrSelection& selection) {
    return std::any_of(selection.begin(), selection.end(), [](const auto& bank) {
        return std::any_of(bank.second.begin(), bank.second.end(), [](unsigned pcr) { return pcr < firmware_pcrs; });
    });
}

Json to_json(const Lease& lease) {
    return {{"grant_id", relay::to_hex(lease.grant_id)},
            {"device", agent::to_json(lease.device)},
            {"vm_id", relay::to_hex(lease.vm_id)},
            {"gate_nonce", relay::to_hex(lease.gate_nonce)},
            {"ms_left", lease.ms_left}};
}

template <typename T, typename Function>
Json json_array(const std::vector<T>& values, Function convert) {
    Json array = Json::array();
    for (const T& value : values) array.push_back(convert(value));
    return array;
}

/// The verifier's wish, but no lease may fall below half of what is left now.
milliseconds next_interval(const Json& result, const std::vector<Lease>& leases) {
    milliseconds next = seconds{number_field_or(result, "next_in", usual_interval.count())};
    next = std::min<milliseconds>(next, std::chrono::hours{24});
    for (const Lease& lease : leases)
        next = std::min(next, milliseconds{static_cast<std::int64_t>(std::min<std::uint64_t>(lease.ms_left, 86'400'000) / 2)});
    return std::max(next, shortest_interval);
}

} // namespace

struct Protocol::Challenge {
    std::string id{};
    Bytes nonce{};
    PcrSelection selection{};
};

/// What the evidence consists of, all of one moment.
struct Protocol::Snapshot {
    Info info{};
    Quote quote{};
    Bytes log{};
    std::vector<Bytes> gates{};
    std::vector<Lease> leases{};
};

std::string Protocol::platform_path(const char* rest) const {
    return "/v1/platforms/" + standing_.platform_id + rest;
}

Outcome<Json> Protocol::call(const std::string& method, const std::string& path, Json body) {
    Response response = TRY(transport_.exchange({method, path, token_, std::move(body)}));
    if (response.status == 401) token_.clear(); // the verifier does not know us any more: enrol again
    auto result = body_of(std::move(response));
    if (!result.ok()) return fail(method + " " + path + ": " + result.error().what);
    return result;
}

Outcome<Protocol::Challenge> Protocol::challenge() {
    const Json body = TRY(call("POST", platform_path("/challenges"), Json::object()));
    Challenge challenge;
    challenge.id = TRY(text_field(body, "challenge_id"));
    challenge.nonce = TRY(base64_field(body, "nonce"));
    challenge.selection = TRY(selection_of(body));
    return challenge;
}

Outcome<Protocol::Snapshot> Protocol::snapshot(const Challenge& challenge) {
    Snapshot now;
    now.info = TRY(hypervisor_.info());
    now.quote = TRY(tpm_.quote(*ak_, challenge.selection,
                               qualifying_data(challenge.nonce, now.info.launch_id, challenge.id)));
    now.log = TRY(hypervisor_.log(now.info.log_bytes));
    now.gates = TRY(hypervisor_.gates());
    now.leases = TRY(hypervisor_.leases());
    return now;
}

/// The log grows while we look: the quote counts only when nothing was added around it.
Outcome<Protocol::Snapshot> Protocol::consistent_snapshot(const Challenge& challenge) {
    for (int i = 0; i < snapshot_tries; ++i) {
        auto now = TRY(snapshot(challenge));
        const Info after = TRY(hypervisor_.info());
        if (after.log_bytes == now.info.log_bytes && after.event_counter == now.info.event_counter) return now;
    }
    return fail("the event log did not stay still for one quote");
}

Outcome<milliseconds> Protocol::attest() {
    const Challenge asked = TRY(challenge());
    const Snapshot now = TRY(consistent_snapshot(asked));
    Json evidence{{"challenge_id", asked.id},
                  {"quote", relay::to_base64(now.quote.attested)},
                  {"signature", relay::to_base64(now.quote.signature)},
                  {"log", relay::to_base64(now.log)},
                  {"gates", json_array(now.gates, [](const Bytes& gate) { return relay::to_base64(gate); })},
                  {"leases", json_array(now.leases, [](const Lease& lease) { return to_json(lease); })}};
    if (asks_for_firmware(asked.selection)) {
        if (firmware_log_.empty()) firmware_log_ = TRY(hypervisor_.firmware_log());
        if (!firmware_log_.empty()) evidence["firmware_log"] = relay::to_base64(firmware_log_);
    }
    const Json result = TRY(call("POST", platform_path("/evidence"), std::move(evidence)));
    standing_.verdict = TRY(text_field(result, "verdict"));
    standing_.reasons = result.value("reasons", Json::array());
    ++standing_.attestations;
    gates_sent_ = {now.gates.begin(), now.gates.end()};
    const auto grants = TRY(base64_list_field(result, "grants"));
    say("appraised verdict=" + in_quotes(standing_.verdict) + " grants=" + std::to_string(grants.size()) +
        " gates=" + std::to_string(now.gates.size()) + " leases=" + std::to_string(now.leases.size()) +
        " reasons=" + in_quotes(standing_.reasons.dump(-1, ' ', true, Json::error_handler_t::replace)));
    TRY(submit("grant", grants));
    return next_interval(result, TRY(hypervisor_.leases()));
}

Outcome<Done> Protocol::submit(const char* kind, const std::vector<Bytes>& messages) {
    for (const Bytes& message : messages) note(kind, TRY(hypervisor_.submit(message)));
    return Done{};
}

void Protocol::note(const char* kind, std::uint64_t error) {
    say(std::string{"submitted kind="} + kind + " error=" + std::to_string(error));
    if (error == 0) return;
    Json& refused = standing_.refused_submissions;
    if (refused.size() == max_refusals_kept) refused.erase(refused.begin());
    refused.push_back({{"kind", kind}, {"error", error}});
}

Outcome<Done> Protocol::bootstrap() {
    for (const Bytes& message : tpm_.bootstrap_messages()) {
        const std::uint64_t error = TRY(hypervisor_.bootstrap(message));
        note("bootstrap", error);
        if (error == 0) break;
    }
    return Done{};
}

Outcome<bool> Protocol::has_new_gates() {
    const auto gates = TRY(hypervisor_.gates());
    return std::any_of(gates.begin(), gates.end(), [&](const Bytes& gate) { return !gates_sent_.contains(gate); });
}

Outcome<Done> Protocol::poll_orders() {
    const Json orders = TRY(call("GET", platform_path("/orders"), nullptr));
    return submit("revocation", TRY(base64_list_field(orders, "revocations")));
}

Outcome<Done> Protocol::report() {
    const Json answer = TRY(send_report());
    if (TRY(orders_.obey(answer, hypervisor_))) TRY(send_report());
    return Done{};
}

Outcome<bool> Protocol::carry_secrets() {
    return secrets_.deliver(TRY(call("GET", transport_.secrets_path(standing_.platform_id), nullptr)), hypervisor_);
}

Outcome<Json> Protocol::send_report() {
    const auto info = TRY(hypervisor_.info());
    const auto status = TRY(hypervisor_.status());
    Json body = report_of(info, status);
    body["agent"] = {{"platform_id", standing_.platform_id},
                     {"verdict", standing_.verdict},
                     {"reasons", standing_.reasons},
                     {"attestations", standing_.attestations},
                     {"refused_submissions", standing_.refused_submissions},
                     {"operator_orders", orders_.results()},
                     {"secrets", secrets_.results()}};
    return call("POST", transport_.report_path(standing_.platform_id), std::move(body));
}

} // namespace casemate::agent
