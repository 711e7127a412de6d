// SPDX-License-Identifier: Apache-2.0
// The whole chain as it is meant to be, and public tools' opinion of its evidence.
#include "dlaunch/session/base64.hpp"
#include "dlaunch/session/report.hpp"
#include "tests/platform/fixture.hpp"
#include "tests/platform/public_tools.hpp"

namespace casemate::platform_test {

namespace {

using std::chrono::seconds;

void good_case(Context& context, unsigned processors, const std::string& banks) {
    SessionConfig config = standard(context);
    config.processors = processors;
    config.pcr_banks = banks;
    const auto session = begin(context, std::move(config));
    if (!session) return;
    context.expect(session->run_until(both_assigned, seconds{240}), "both devices are handed over");
    context.expect(session->run_until(both_proved, seconds{400}), "both driver VMs prove their device");
    context.expect(session->run_until([&](const Observation&) { return session::last_log_is_current(*session); }, seconds{90}),
                   "the newest evidence covers the whole ledger: its log replays to PCR 19");
    context.expect(session->run_until([&](const Observation& s) { return s.status.is_object(); }, seconds{60}),
                   "the agent reports its status");

    const auto report = session::make_report(*session, {});
    const auto problem = session::verdict(report);
    context.expect(!problem, "predicted, replayed and measured PCRs, appraisal, custody and traffic agree" +
                                 (problem ? ": " + *problem : ""));
    const std::size_t bank_count = static_cast<std::size_t>(std::count(banks.begin(), banks.end(), ',')) + 1;
    context.expect(report["pcrs"].size() == bank_count, "every active bank was compared");
    check_with_public_tools(context, *session);
}

const Registration two_cores{"an-unmodified-launch-is-attested-and-its-driver-vms-work-on-two-cores",
                             [](Context& context) { good_case(context, 2, "sha256,sha384"); }};
const Registration four_cores{"an-unmodified-launch-is-attested-and-its-driver-vms-work-on-four-cores",
                              [](Context& context) { good_case(context, 4, "sha1,sha256,sha384,sha512"); }};

} // namespace

} // namespace casemate::platform_test
