// SPDX-License-Identifier: Apache-2.0
// Where VMs run is the policy's word: a machine that cannot keep it runs none of them.
#include "tests/platform/fixture.hpp"

namespace casemate::platform_test {

namespace {

using std::chrono::seconds;

const Registration missing_core{"a-policy-for-more-cores-than-the-machine-has-is-not-launched", [](Context& context) {
    SessionConfig config = standard(context);
    config.processors = 1;
    const auto session = begin(context, std::move(config));
    if (!session) return;
    session->run_until([](const Observation& s) { return s.count("launch_failure") > 0; }, seconds{120});
    const Observation& seen = session->seen();
    context.expect(seen.find("vm_refused", {{"vm", "net0"}, {"why", "core_missing"}}) != nullptr,
                   "the hypervisor names the VM whose core is missing");
    context.expect(seen.count("launch_failure") > 0, "the launch stops with a number");
    context.expect(seen.count("vm_started") == 0, "no VM runs");
    expect_no_hand_over(context, *session);
}};

} // namespace

} // namespace casemate::platform_test
