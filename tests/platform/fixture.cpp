// SPDX-License-Identifier: Apache-2.0
// See fixture.hpp.
#include "tests/platform/fixture.hpp"

#include "dlaunch/session/policy_variant.hpp"

#include <fstream>
#include <stdlib.h>

namespace casemate::platform_test {

namespace fs = std::filesystem;

namespace {

std::string contents(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

fs::path write(const fs::path& file, const std::string& bytes) {
    std::ofstream{file, std::ios::binary} << bytes;
    return file;
}

/// The value, or an empty path and the reason in the log.
template <typename T>
fs::path stated(const model::Outcome<T>& outcome) {
    if (!outcome.ok()) std::printf("  %s\n", outcome.error().text.c_str());
    return outcome.ok() ? fs::path{outcome.value()} : fs::path{};
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
    const auto source = session::changed_source(built, changes);
    if (!source.ok()) return stated(source);
    return stated(session::compile_policy(built, scratch.path(), source.value()));
}

fs::path reference_for(const Context& context, const Scratch& scratch, const fs::path& policy, const fs::path& images) {
    return stated(session::predict(session::Artefacts{context.build()}, scratch.path(), policy, images));
}

fs::path images_with_guests(const Scratch& scratch, const session::Artefacts& built, const std::vector<std::string>& guests) {
    const fs::path folder = scratch.path() / "images";
    fs::create_directory(folder);
    for (const auto& file : fs::directory_iterator{built.images()})
        fs::create_symlink(fs::absolute(file.path()), folder / file.path().filename());
    for (const std::string& guest : guests) fs::create_symlink(fs::absolute(built.program("guests") / guest), folder / guest);
    return folder;
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
