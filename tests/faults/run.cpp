// SPDX-License-Identifier: Apache-2.0
// Implements run.hpp.
#include "tests/faults/run.hpp"

#include "dlaunch/session/report.hpp"
#include "drivervms/probe/digest.hpp"

#include <fstream>
#include <random>

namespace casemate::faults {

namespace fs = std::filesystem;
using model::fail;
using session::Observation;
using session::Session;
using std::chrono::seconds;

namespace {

constexpr std::uint64_t emulated_ram = 2048ull << 20;
constexpr std::size_t load_bytes = 4 << 20; // of one download
constexpr seconds start_limit{400};
constexpr seconds inject_limit{300}; // the VM may be away because of what was done before
constexpr seconds settle_limit{300}; // watchdog, five restarts, quarantine, a new grant, a cold start; and a busy host
constexpr seconds evidence_limit{120};

/// 32 characters that stand nowhere else: no file and no image has them.
std::string new_mark() {
    std::random_device source;
    std::string mark;
    while (mark.size() < 32) mark.push_back(static_cast<char>('a' + source() % 26));
    return mark;
}

std::string digest_of_load(const std::string& mark) {
    std::string text;
    while (text.size() < load_bytes) text += mark;
    probe::Digest digest;
    digest.update({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    return digest.hex();
}

} // namespace

bool is_emulators_end(const std::string& ending) {
    return ending.find("qemu was killed by signal") != std::string::npos;
}

Run::Run(const CampaignOptions& options, const Setting& setting, const fs::path& directory)
    : options_{options}, order_{directory / "order"}, mark_{new_mark()}, check_digest_{digest_of_load(mark_)}, judge_{setting.disk_digests},
      canaries_{mark_} {}

model::Outcome<std::unique_ptr<Run>> Run::start(const CampaignOptions& options, const Setting& setting, const fs::path& directory,
                                                std::uint64_t number) {
    std::unique_ptr<Run> run{new Run{options, setting, directory}};
    run->tell("idle");
    session::SessionConfig config;
    config.artefacts = options.built;
    config.reference = setting.reference;
    config.replaced = {{"policy.cbor", setting.policy}};
    for (const char* image : {"faulty.img", "canary.img"}) config.replaced[image] = options.built.images() / image;
    config.further_peers[7003] = "cat " + run->order_.string();
    config.further_peers[7004] =
        options.built.program("casemate-peer").string() + " repeat " + std::to_string(load_bytes) + " " + run->mark_;
    if (!options.consoles.empty()) config.console_log = options.consoles / ("session-" + std::to_string(number) + ".console");
    run->session_ = TRY(Session::start(std::move(config)));
    run->session_->on_console([judge = &run->judge_](const std::string& line) { judge->take(line); });
    run->session_->on_idle(options.on_idle);
    if (run->wait([&] { return run->judge_.serving(); }, start_limit)) return run;
    return fail(options.interrupted() ? "interrupted" : "the session did not come up: " + run->ending());
}

/// Read while it is replaced: whole or not at all.
void Run::tell(const std::string& line) const {
    const fs::path part = order_.string() + ".part";
    std::ofstream{part} << line << '\n';
    fs::rename(part, order_);
}

bool Run::wait(const std::function<bool()>& done, seconds limit) {
    return session_->run_until([&](const Observation&) { return options_.interrupted() || done(); }, limit) && done();
}

Effect Run::inject(const Fault& fault) {
    const std::string number = std::to_string(fault.number);
    judge_.begin(fault.number);
    tell("inject " + number + " " + fault.kind + " " + std::to_string(fault.seed));
    if (wait([&] { return judge_.injected(); }, inject_limit)) {
        tell("check " + number + " " + check_digest_);
        wait([&] { return judge_.settled(); }, settle_limit);
    }
    tell("idle");
    if (is_emulators_end(ending())) return Effect::emulator;
    if (!options_.interrupted() && judge_.effect() != Effect::lost && !judge_.settled()) judge_.accuse(judge_.others_idle() + " works no more");
    return judge_.effect();
}

std::vector<std::string> Run::new_problems() {
    std::vector<std::string> problems{judge_.problems().begin() + static_cast<std::ptrdiff_t>(problems_told_), judge_.problems().end()};
    problems_told_ = judge_.problems().size();
    if (!ending().empty() && !is_emulators_end(ending())) problems.push_back("the machine ended: " + ending());
    return problems;
}

std::optional<std::string> Run::check_evidence() {
    if (!wait([&] { return session::last_log_is_current(*session_); }, evidence_limit))
        return "no evidence covers the whole ledger within " + std::to_string(evidence_limit.count()) + " s";
    const auto evidence = session_->last_evidence();
    if (evidence.is_object() && evidence.value("verdict", "") == "affirming") return std::nullopt;
    return "the verifier does not affirm the newest evidence: " + evidence.value("reasons", nlohmann::json::array()).dump();
}

std::optional<std::string> Run::check_memory() {
    if (!judge_.faulty_mark() || !judge_.canary_mark()) return "a VM has not marked its memory";
    const Standstill meanwhile{*session_};
    const auto memory = PhysicalMemory::read(*session_, emulated_ram);
    if (!memory) return "physical memory cannot be read";
    return canaries_.look(*memory, *judge_.faulty_mark(), *judge_.canary_mark());
}

std::vector<std::string> Run::last_lines() const {
    constexpr std::size_t most = 20;
    std::vector<std::string> last;
    const auto& lines = session_->seen().lines;
    for (auto line = lines.rbegin(); line != lines.rend() && last.size() < most; ++line)
        if (line->starts_with("@cm") || line->starts_with("[net0]")) last.insert(last.begin(), *line);
    return last;
}

} // namespace casemate::faults
