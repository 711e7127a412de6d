// SPDX-License-Identifier: Apache-2.0
// See fixture.hpp.
#include "tests/platform/fixture.hpp"

#include "dlaunch/model/child.hpp"

#include <fstream>
#include <stdlib.h>

namespace casemate::platform_test {

namespace fs = std::filesystem;

namespace {

constexpr model::Millis tool_limit{30000};

std::string contents(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

fs::path write(const fs::path& file, const std::string& bytes) {
    std::ofstream{file, std::ios::binary} << bytes;
    return file;
}

bool run(std::vector<std::string> command) {
    const auto done = model::run_tool({.name = command.front(), .command = command, .environment = {}, .inherited = {}},
                                      tool_limit);
    if (!done.ok()) std::printf("  %s\n", done.error().text.c_str());
    return done.ok();
}

} // namespace

Scratch::Scratch() {
    std::string pattern = (fs::temp_directory_path() / "casemate-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
}

Scratch::~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

SessionConfig standard(const Context& context) {
    SessionConfig config;
    config.artefacts.build = context.build();
    config.console_log = context.log();
    fs::remove(context.log());
    return config;
}

std::unique_ptr<Session> begin(Context& context, SessionConfig config) {
    auto started = Session::start(std::move(config));
    if (!started.ok()) {
        context.expect(false, "the session starts: " + started.error().text);
        return nullptr;
    }
    return std::move(started).value();
}

fs::path flipped(const Scratch& scratch, const fs::path& file, std::int64_t offset) {
    std::string bytes = contents(file);
    const std::size_t at = offset < 0 ? bytes.size() - static_cast<std::size_t>(-offset) : static_cast<std::size_t>(offset);
    if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ 1);
    return write(scratch.path() / file.filename(), bytes);
}

std::int64_t offset_of(const fs::path& file, const std::string& text) {
    const std::size_t at = contents(file).find(text);
    return at == std::string::npos ? -1 : static_cast<std::int64_t>(at);
}

fs::path changed_policy(const Context& context, const Scratch& scratch,
                        const std::vector<std::pair<std::string, std::string>>& changes) {
    const session::Artefacts built{context.build()};
    std::string source = contents(built.policy_source());
    for (const auto& [from, to] : changes) {
        const std::size_t at = source.find(from);
        if (at == std::string::npos) {
            std::printf("  the policy source does not contain '%s'\n", from.c_str());
            return {};
        }
        source.replace(at, from.size(), to);
    }
    const fs::path toml = write(scratch.path() / "policy.toml", source);
    const fs::path bundle = scratch.path() / "policy.cbor";
    const bool good = run({built.program("casemate-policy"), "compile", toml, "--key", built.keys() / "owner.pem",
                           "--verifier-key", built.keys() / "grant.pub.pem", "--out", bundle});
    return good ? bundle : fs::path{};
}

fs::path reference_for(const Context& context, const Scratch& scratch, const fs::path& policy, const fs::path& images) {
    const session::Artefacts built{context.build()};
    const fs::path reference = scratch.path() / "reference.json";
    const bool good = run({built.program("casemate-predict"), "--slb", built.slb(), "--hypervisor", built.hypervisor(),
                           "--policy", policy, "--images", images, "--out", reference});
    return good ? reference : fs::path{};
}

std::set<std::string> newest_reasons(const Session& session) {
    const auto evidence = session.last_evidence();
    std::set<std::string> codes;
    if (!evidence.is_object() || !evidence.contains("verdict")) return codes;
    if (evidence["verdict"] == "affirming") codes.insert("affirming");
    for (const auto& reason : evidence.value("reasons", nlohmann::json::array())) codes.insert(reason.value("code", ""));
    return codes;
}

bool both_assigned(const Observation& seen) {
    return seen.find("assigned", {{"device", "00:03.0"}}) != nullptr &&
           seen.find("assigned", {{"device", "00:04.0"}}) != nullptr;
}

bool both_proved(const Observation& seen) { return seen.proofs.contains("net") && seen.proofs.contains("disk"); }

void expect_no_hand_over(Context& context, const Session& session) {
    const Observation& seen = session.seen();
    context.expect(seen.count("grant_accepted") == 0, "no grant is accepted");
    context.expect(seen.count("assigned") == 0, "no device is handed over");
    context.expect(seen.find("vm_started", {{"vm", "net0"}}) == nullptr, "net0 never runs");
    context.expect(seen.find("vm_started", {{"vm", "disk0"}}) == nullptr, "disk0 never runs");
}

} // namespace casemate::platform_test
