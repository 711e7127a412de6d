// SPDX-License-Identifier: Apache-2.0
// casemate-bench-secret: the main job of `./casemate bench secrets`: what the release of a sealed secret costs, command by command, and what the
// owner's policy costs to compile and to verify. Exit status 1 means that a measurement broke; a slow number is never a failure.
#include "dlaunch/measure/tpm_command_name.hpp"
#include "dlaunch/model/state_dir.hpp"
#include "dlaunch/session/artefacts.hpp"
#include "dlaunch/session/report.hpp"
#include "dlaunch/session/table.hpp"
#include "policy/compiler/toml_source.hpp"
#include "policy/model/bundle.hpp"
#include "policy/model/payload.hpp"
#include "tests/bench/secret/code_size.hpp"
#include "tests/bench/secret/timed_tpm.hpp"
#include "tests/bench/statistics.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>

namespace {

using namespace casemate;
using bench::Spread;
using bench::secret::TimedTpm;
using Bytes = std::vector<std::uint8_t>;
using nlohmann::json;

struct Options {
    session::Artefacts built;
    std::filesystem::path report;
    int rounds = 25;
};

/// By what it is, a value a round, in milliseconds.
using Times = std::map<std::string, std::vector<double>>;

struct Counted {
    Times times;
    std::map<std::string, std::size_t> commands; // in one release
};

std::runtime_error broken(const char* what) { return std::runtime_error(what); }

double milliseconds(const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// A sealed secret with its approval, on a platform whose TPM is at hand.
class Sealed {
public:
    explicit Sealed(TimedTpm& tpm) : tpm_{tpm} {
        const auto modulus = secret::read_endorsement_key(tpm.owner());
        const auto epoch = secret::ensure_epoch_counter(tpm.owner(), secret::epoch_counter_index);
        if (!modulus.ok() || !epoch.ok()) throw broken("the TPM cannot be provisioned");
        vm_id_.fill(7);
        const Bytes key(32, 0x5a);
        auto sealed = secret::seal({.name = "volume-key", .vm = "disk0", .modulus = modulus.value()}, key, owner_);
        auto approval = secret::approve("disk0", {tpm.pcr(17), tpm.pcr(18), vm_id_, secret::epoch_counter_index, epoch.value()}, owner_);
        if (!sealed.ok() || !approval.ok()) throw broken("the secret cannot be sealed");
        sealed_ = std::move(sealed).value();
        approval_ = std::move(approval).value();
        (void)banks_.add(measure::TPM_ALG_ID::SHA256);
        (void)banks_.add(measure::TPM_ALG_ID::SHA384);
    }
    void release() {
        const auto point = measure::P256PublicKey::create(owner_.public_key());
        const auto message = secret::open_secret(sealed_, point.value());
        const auto approval = secret::read_approval(approval_);
        secret::Plaintext out;
        if (!secret::release(tpm_, message.value(), approval.value(), owner_.public_key(), vm_id_, banks_, out).ok()) throw broken("the TPM released nothing");
    }

private:
    TimedTpm& tpm_;
    cose::Signer owner_ = cose::Signer::generate().value();
    secret::Digest vm_id_{};
    Bytes sealed_, approval_;
    measure::Banks banks_;
};

void measure_release(TimedTpm& tpm, Sealed& sealed, Counted& all) {
    tpm.commands.clear();
    all.times["release"].push_back(milliseconds([&] { sealed.release(); }));
    all.times["empty command"].push_back(tpm.empty_command());
    std::map<std::string, double> sums;
    std::map<std::string, std::size_t> counts;
    for (const TimedTpm::Timed& each : tpm.commands) {
        const std::string name{measure::tpm_command_name(each.code)};
        sums[name] += each.milliseconds;
        ++counts[name];
    }
    for (const auto& [name, sum] : sums) all.times[name].push_back(sum);
    if (!all.commands.empty() && all.commands != counts) throw broken("two releases took different commands");
    all.commands = counts;
}

/// Compiled and signed anew, verified and parsed as the SLB, the hypervisor and the verifier do; and one bare signature verification beside it.
void measure_policy(const std::string& source, const cose::Signer& owner, Times& times) {
    Bytes bundle;
    times["policy compile"].push_back(milliseconds([&] {
        const auto read = std::make_unique<policy::Source>(policy::read_source(source, owner.public_key()));
        Bytes payload(policy::max_bundle), header(cose::max_protected);
        const ByteView encoded = policy::encode_policy(read->policy, payload);
        auto made = owner.sign_message(policy::encode_bundle_header(owner.public_key(), header), encoded);
        if (!read->problems.empty() || !made.ok()) throw broken("the policy does not compile");
        bundle = std::move(made).value();
    }));
    times["policy verify"].push_back(milliseconds([&] {
        const auto parsed = std::make_unique<policy::Policy>();
        const auto opened = policy::open_bundle(bundle);
        if (!opened.ok() || !policy::verify_bundle(opened.value()).ok() || !policy::parse_policy(opened.value().payload(), *parsed).ok()) throw broken("the bundle does not verify");
    }));
    const auto opened = policy::open_bundle(bundle);
    times["policy parse"].push_back(milliseconds([&] {
        const auto parsed = std::make_unique<policy::Policy>();
        if (!policy::parse_policy(opened.value().payload(), *parsed).ok()) throw broken("the policy does not parse");
    }));
}

/// The same by the code that the SLB and the hypervisor have in them.
void measure_trusted_policy(const Options& options, Times& times) {
    const std::string command = (options.built.build / "bin" / "casemate-bench-bundle").string() + " " + options.built.policy().string() + " " + std::to_string(options.rounds);
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> lines{::popen(command.c_str(), "r"), &::pclose};
    double value = 0;
    while (lines && std::fscanf(lines.get(), "%lf", &value) == 1) times["policy verify, trusted code"].push_back(value);
    if (times["policy verify, trusted code"].size() != static_cast<std::size_t>(options.rounds)) throw broken("the trusted code does not take the build's policy");
}

json sizes_of(const session::Artefacts& built) {
    json sizes = json::object();
    for (const auto& [program, file] : {std::pair{"slb", "slb.elf"}, std::pair{"hypervisor", "hypervisor.debug"}}) sizes[program] = bench::secret::code_size(built.build / "bin" / file);
    return sizes;
}

json report_of(const Counted& all, const Options& options) {
    json rows = json::array();
    std::size_t commands = 0;
    for (const auto& [name, values] : all.times) {
        const Spread spread = bench::spread_of(values);
        const auto count = all.commands.find(name);
        if (count != all.commands.end()) commands += count->second;
        rows.push_back({{"name", name}, {"commands", count == all.commands.end() ? json(nullptr) : json(count->second)}, {"unit", "ms"},
                        {"value", {{"median", spread.median}, {"min", spread.least}, {"max", spread.most}}}});
    }
    return {{"version", 1}, {"rounds", options.rounds}, {"commands", commands}, {"metrics", rows}, {"code_bytes", sizes_of(options.built)}};
}

void print(const json& report) {
    std::vector<session::Row> rows{{"WHAT", "COMMANDS", "MS: MEDIAN (MIN-MAX)"}};
    for (const json& each : report["metrics"]) {
        char text[96];
        const json& value = each["value"];
        std::snprintf(text, sizeof text, "%.3f (%.3f-%.3f)", value["median"].get<double>(), value["min"].get<double>(), value["max"].get<double>());
        rows.push_back({each["name"], each["commands"].is_null() ? "" : each["commands"].dump(), text});
    }
    std::printf("%s%s TPM commands a release; %s rounds\n", session::aligned(rows).c_str(), report["commands"].dump().c_str(), report["rounds"].dump().c_str());
    for (const auto& [program, size] : report["code_bytes"].items())
        std::printf("%s: %s bytes for the policy, %s for the envelope, %s of cryptography, of %s in all\n", program.c_str(), size.value("policy", json()).dump().c_str(),
                    size.value("envelope", json()).dump().c_str(), size.value("cryptography", json()).dump().c_str(), size.value("all", json()).dump().c_str());
}

int run(const Options& options) {
    auto scratch = model::StateDir::create();
    if (!scratch.ok()) throw std::runtime_error(scratch.error().text);
    std::ifstream stream{options.built.policy_source()};
    const std::string source{std::istreambuf_iterator<char>{stream}, {}};
    const auto owner = cose::Signer::from_pem_file(options.built.keys() / "owner.pem");
    if (source.empty() || !owner.ok()) throw broken("the build has no policy or no owner key: run ./casemate build");
    TimedTpm tpm{scratch.value().path() / "tpm"};
    Sealed sealed{tpm};
    sealed.release(); // the first one is not counted: the TPM's own caches
    Counted all;
    for (int round = 0; round < options.rounds; ++round) {
        measure_release(tpm, sealed, all);
        measure_policy(source, owner.value(), all.times);
    }
    measure_trusted_policy(options, all.times);
    const json report = report_of(all, options);
    print(report);
    if (!options.report.empty() && !session::write_report(report, options.report)) throw std::runtime_error("cannot write " + options.report.string());
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"Measures the release of a sealed secret by a software TPM, command by command, and the owner's policy."};
    app.name("casemate bench secrets");
    Options options;
    app.add_option("--build", options.built.build)->required()->group("");
    app.add_option("--rounds", options.rounds, "how often everything is measured (25)")->check(CLI::Range(1, 10000));
    app.add_option("--report", options.report, "write a JSON report (docs/interfaces/bench.md) to this file");
    CLI11_PARSE(app, argc, argv);
    try {
        return run(options);
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "casemate bench secrets: %s.\n", problem.what());
        return 1;
    }
}
