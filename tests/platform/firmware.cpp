// SPDX-License-Identifier: Apache-2.0
// PCR 0-7 for an owner who wants the firmware judged too: the launcher keeps the firmware's log, the agent sends it when it is asked, and a quote
// over PCR 0-7 proves it.
#include "dlaunch/session/report.hpp"
#include "tests/platform/fixture.hpp"

#include <fstream>

namespace casemate::platform_test {

namespace {

using measure::TPM_ALG_ID;
using nlohmann::json;
using std::chrono::seconds;

constexpr std::uint32_t firmware_pcrs = 8;

json document(const std::filesystem::path& file) {
    std::ifstream in{file};
    return json::parse(in, nullptr, false);
}

/// The build's reference values and, for each of PCR 0-7, what the TPM has there now.
json reference_with_firmware(Session& session) {
    json reference = document(session.reference());
    for (std::uint32_t pcr = 0; pcr < firmware_pcrs; ++pcr) {
        json values = json::object();
        for (const TPM_ALG_ID bank : {TPM_ALG_ID::SHA256, TPM_ALG_ID::SHA384})
            values[measure::name_of(bank)] = {session::read_pcr(session.platform(), bank, pcr)};
        reference["firmware"].push_back({{"pcr", pcr}, {"values", values}});
    }
    return reference;
}

/// From now on these are the only ones that count.
bool accept_only(const Session& session, const json& reference) {
    const json before = session.ask_verifier("/v1/reference");
    const json added = session.tell_verifier("/v1/reference", reference);
    if (!added.contains("reference_id")) return false;
    for (const json& each : before["references"]) (void)session.remove_at_verifier("/v1/reference/" + each["reference_id"].get<std::string>());
    return session.ask_verifier("/v1/reference")["references"].size() == 1;
}

const Registration firmware{"a-firmware-that-the-owner-knows-is-affirmed-by-its-log-and-another-is-not", [](Context& context) {
    const auto session = begin(context, standard(context));
    if (!session) return;
    if (!context.expect(session->run_until(both_assigned, seconds{300}), "both devices are handed over")) return;
    json reference = reference_with_firmware(*session);
    if (!context.expect(accept_only(*session, reference), "the verifier takes reference values with PCR 0-7 of this firmware")) return;
    const auto affirmed = [&](const Observation&) {
        const json evidence = session->last_evidence();
        return evidence.contains("evidence") && evidence["evidence"].contains("firmware_log") && newest_reasons(*session) == std::set<std::string>{"affirming"};
    };
    context.expect(session->run_until(affirmed, seconds{120}), "evidence with the firmware's log and PCR 0-7 in the quote is affirmed");

    json& digest = reference["firmware"][firmware_pcrs - 1]["values"]["sha256"][0];
    digest = std::string(64, '5');
    if (!context.expect(accept_only(*session, reference), "the verifier takes reference values of another firmware")) return;
    const auto refused = [&](const Observation&) { return newest_reasons(*session).contains("firmware_differs"); };
    context.expect(session->run_until(refused, seconds{120}), "evidence of this firmware is refused by them, with its own reason");
    const auto lapsed = [](const Observation& seen) { return seen.count("quarantined") >= 2; };
    context.expect(session->run_until(lapsed, seconds{150}), "the leases end and both devices go back");
}};

} // namespace

} // namespace casemate::platform_test
