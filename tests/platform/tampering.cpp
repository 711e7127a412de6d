// SPDX-License-Identifier: Apache-2.0
// One bit flipped in each thing that is measured: the verifier names what differs, and no device changes hands.
#include "tests/platform/fixture.hpp"

namespace casemate::platform_test {

namespace {

using std::chrono::seconds;

constexpr seconds attestation_limit{240};

/// Runs until the verifier has a result, then states that it gave `code` and that nothing was handed over.
void expect_refusal(Context& context, SessionConfig config, const std::string& code) {
    const auto session = begin(context, std::move(config));
    if (!session) return;
    std::set<std::string> reasons;
    session->run_until([&](const Observation&) { return !(reasons = newest_reasons(*session)).empty(); }, attestation_limit);
    std::string all;
    for (const std::string& reason : reasons) all += " " + reason;
    context.expect(reasons.contains(code), "the verifier says " + code + " (it said" + all + ")");
    context.expect(!reasons.contains("affirming"), "the verifier does not affirm");
    session->run_until([](const Observation&) { return false; }, seconds{3});
    expect_no_hand_over(context, *session);
}

void replaced_file(Context& context, const char* name, const std::filesystem::path& file, const std::string& text,
                   const std::string& code) {
    const Scratch scratch;
    const std::int64_t offset = text.empty() ? -64 : offset_of(file, text);
    if (!context.expect(text.empty() || offset > 0, std::string{name} + " has a place where a flipped bit does no harm")) return;
    SessionConfig config = standard(context);
    config.replaced[name] = flipped(scratch, file, offset);
    expect_refusal(context, std::move(config), code);
}

const Registration slb{"a-flipped-bit-in-the-slb-is-named-and-nothing-is-granted", [](Context& context) {
    replaced_file(context, "slb.bin", session::Artefacts{context.build()}.slb(), "slb_start", "slb_differs");
}};
const Registration hypervisor{"a-flipped-bit-in-the-hypervisor-is-named-and-nothing-is-granted", [](Context& context) {
    replaced_file(context, "hypervisor.elf", session::Artefacts{context.build()}.hypervisor(), "hypervisor_start",
                  "hypervisor_differs");
}};
const Registration kernel{"a-flipped-bit-in-a-kernel-is-named-and-nothing-is-granted", [](Context& context) {
    replaced_file(context, "vmlinuz", session::Artefacts{context.build()}.images() / "vmlinuz", "", "vm_kernel_differs");
}};
const Registration initrd{"a-flipped-bit-in-an-initrd-is-named-and-nothing-is-granted", [](Context& context) {
    replaced_file(context, "net0.img", session::Artefacts{context.build()}.images() / "net0.img", "", "vm_initrd_differs");
}};

const Registration command_line{"a-changed-command-line-is-named-and-nothing-is-granted", [](Context& context) {
    const Scratch scratch;
    const auto policy = changed_policy(context, scratch, {{"panic=-1", "panic=-2"}});
    if (!context.expect(!policy.empty(), "the changed policy compiles")) return;
    SessionConfig config = standard(context);
    config.replaced["policy.cbor"] = policy;
    expect_refusal(context, std::move(config), "policy_differs");
}};

const Registration policy{"a-flipped-bit-in-the-policy-stops-the-launch-with-its-number", [](Context& context) {
    const Scratch scratch;
    SessionConfig config = standard(context);
    const auto bundle = session::Artefacts{context.build()}.policy();
    config.replaced["policy.cbor"] = flipped(scratch, bundle, offset_of(bundle, "quiet"));
    const auto session = begin(context, std::move(config));
    if (!session) return;
    session->run_until([](const Observation& s) { return s.count("launch_failure") > 0; }, attestation_limit);
    const auto* failure = session->seen().find("launch_failure", {{"name", "policy_signature"}});
    context.expect(failure != nullptr, "the SLB stops with the reason policy_signature");
    context.expect(session->seen().count("hypervisor_start") == 0, "the hypervisor never runs");
    expect_no_hand_over(context, *session);
}};

const Registration unmeasured{"a-hypervisor-started-without-skinit-is-refused-everywhere", [](Context& context) {
    SessionConfig config = standard(context);
    config.skinit = model::SkinitMode::unmeasured;
    expect_refusal(context, std::move(config), "not_launched");
}};

} // namespace

} // namespace casemate::platform_test
