// SPDX-License-Identifier: Apache-2.0
// casemate-txt predict: PCR 17 and 18 of a TXT launch from tboot, its command line, its policy and its modules, with what only the
// machine knows from a log that was captured once or from options; `./casemate predict --txt` calls it.
// casemate-txt mle-hash: what SINIT measures of tboot, as lcp2_mlehash prints it without spaces.
#include "attest/txt/event_type.hpp"
#include "attest/txt/mle_hash.hpp"
#include "attest/txt/prediction.hpp"
#include "attest/verifier/encoding.hpp"

#include <CLI/CLI.hpp>

#include <fstream>
#include <iostream>
#include <iterator>

namespace {

using namespace casemate;
using namespace casemate::txt;
using measure::TPM_ALG_ID;
using verifier::Bytes;

struct CannotRun : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Options {
    std::string log, tboot, command_line, policy, map, out;
    std::vector<std::string> events, modules, banks;
};

Bytes read_file(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    Bytes bytes{std::istreambuf_iterator<char>{file}, {}};
    if (!file && !file.eof()) throw CannotRun("cannot read " + path);
    if (bytes.empty()) throw CannotRun(path + " is empty or cannot be read");
    return bytes;
}

MeasuredMle mle_of(const Options& options) {
    const auto elf = unpacked(read_file(options.tboot));
    std::string why = "a broken gzip file";
    std::optional<MeasuredMle> mle;
    if (elf) mle = measured_mle(*elf, options.command_line, why);
    if (!mle) throw CannotRun(options.tboot + ": " + why);
    return *std::move(mle);
}

TPM_ALG_ID bank_named(const std::string& name) {
    for (const TPM_ALG_ID bank : {TPM_ALG_ID::SHA1, TPM_ALG_ID::SHA256, TPM_ALG_ID::SHA384, TPM_ALG_ID::SHA512})
        if (name == measure::name_of(bank)) return bank;
    throw CannotRun("there is no bank " + name);
}

/// "17:HASH_START=HEX", a digest of the only bank, or "17:CPU_SCRTM_STAT=data:HEX", what is hashed in each.
PredictedEvent event_of(const std::string& text, const measure::Banks& banks) {
    const std::size_t colon = text.find(':'), equals = text.find('=');
    if (colon == std::string::npos || equals == std::string::npos || equals < colon) throw CannotRun("--event is PCR:TYPE=HEX or PCR:TYPE=data:HEX");
    const EventType* type = event_type(std::string_view{text}.substr(colon + 1, equals - colon - 1));
    const std::string pcr = text.substr(0, colon);
    std::string value = text.substr(equals + 1);
    if (type == nullptr || (pcr != "17" && pcr != "18" && pcr != "19")) throw CannotRun("--event " + text + ": PCR 17 to 19 and a type as evidence explain names it");
    const bool data = value.starts_with("data:");
    const auto bytes = verifier::from_hex(data ? value.substr(5) : value);
    if (!bytes) throw CannotRun("--event " + text + ": no lower-case hexadecimal");
    PredictedEvent event{static_cast<std::uint32_t>(std::stoul(pcr)), type->type, {}};
    if (data) {
        event.digests = measure::hash_all(banks, *bytes);
        return event;
    }
    if (banks.size() != 1 || bytes->size() != measure::digest_size(banks[0])) throw CannotRun("--event " + text + ": a digest needs one --bank, and its size");
    measure::Digest digest{banks[0], {}};
    std::copy(bytes->begin(), bytes->end(), digest.storage.begin());
    event.digests.add(digest);
    return event;
}

/// "FILE" or "FILE=COMMAND LINE".
Module module_of(const std::string& text) {
    const std::size_t equals = text.find('=');
    return {read_file(text.substr(0, equals)), equals == std::string::npos ? "" : text.substr(equals + 1)};
}

PredictionInput input_of(const Options& options) {
    PredictionInput input;
    if (!options.log.empty()) {
        if (!options.events.empty() || !options.banks.empty() || !options.map.empty()) throw CannotRun("--log says banks, map and events: leave the options out");
        auto facts = facts_of(read_file(options.log));
        if (!facts) throw CannotRun(facts.error());
        input = std::move(facts).value();
    } else {
        for (const std::string& bank : options.banks.empty() ? std::vector<std::string>{"sha256"} : options.banks) (void)input.banks.add(bank_named(bank));
        input.map = options.map == "legacy" ? PcrMap::legacy : PcrMap::details_authorities;
        for (const std::string& event : options.events) input.facts.push_back(event_of(event, input.banks));
    }
    if (!options.tboot.empty()) input.mle = mle_of(options).bytes;
    if (!options.policy.empty()) input.policy = read_file(options.policy);
    if (input.policy && !policy_control(*input.policy)) throw CannotRun(options.policy + " is no policy of tb_polgen");
    for (const std::string& module : options.modules) input.modules.push_back(module_of(module));
    if (input.policy && input.modules.empty()) throw CannotRun("--policy needs the modules that tboot is given: --module");
    return input;
}

void write(const std::string& path, const std::string& text) {
    const std::string temporary = path + ".part";
    std::ofstream file{temporary, std::ios::binary | std::ios::trunc};
    file << text;
    file.close();
    if (!file || std::rename(temporary.c_str(), path.c_str()) != 0) throw CannotRun("cannot write " + path);
}

void run_predict(const Options& options) {
    const PredictionInput input = input_of(options);
    auto made = predict(input);
    if (!made) throw CannotRun(made.error());
    const Prediction& prediction = made.value();
    if (!options.out.empty()) write(options.out, prediction.reference.json().dump(1) + "\n");
    for (const TPM_ALG_ID bank : input.banks)
        for (std::uint32_t pcr = 17; pcr <= 19; ++pcr)
            if ((prediction.pcrs.touched() >> pcr & 1) != 0)
                std::cout << "pcr" << pcr << '.' << measure::name_of(bank) << '=' << verifier::to_hex(prediction.pcrs.value(bank, pcr).view()) << '\n';
}

void run_mle_hash(const Options& options) {
    const TPM_ALG_ID bank = options.banks.empty() ? TPM_ALG_ID::SHA256 : bank_named(options.banks.front());
    std::cout << verifier::to_hex(measure::hash(bank, mle_of(options).bytes).view()) << '\n';
}

} // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app{"Predicts the measurements of a TXT launch by tboot.", "casemate predict --txt"};
    app.require_subcommand(1);
    CLI::App* const predict_command = app.add_subcommand("predict", "PCR 17 and 18, and reference values for evidence explain");
    predict_command->add_option("--log", options.log, "a log of this machine: what SINIT measures is taken from it");
    predict_command->add_option("--event", options.events, "or one event of SINIT, in order: PCR:TYPE=HEX (digest) or PCR:TYPE=data:HEX; repeatable");
    predict_command->add_option("--bank", options.banks, "sha256 if not told otherwise; repeatable");
    predict_command->add_option("--map", options.map, "details/authorities (TPM 2.0) or legacy")->check(CLI::IsMember({"details/authorities", "legacy"}));
    predict_command->add_option("--policy", options.policy, "tboot's policy, of tb_polgen; without it the built-in one");
    predict_command->add_option("--module", options.modules, "FILE or FILE=COMMAND LINE, as tboot is given them; repeatable");
    predict_command->add_option("--out", options.out, "reference values to write");
    CLI::App* const hash_command = app.add_subcommand("mle-hash", "what SINIT measures of tboot");
    hash_command->add_option("--bank", options.banks, "sha256 if not told otherwise")->expected(1);
    for (CLI::App* const each : {predict_command, hash_command}) {
        CLI::Option* const tboot = each->add_option("--tboot", options.tboot, "tboot.gz, to compute its measurement");
        each->add_option("--tboot-command-line", options.command_line, "its command line in GRUB, without the file's name");
        if (each == hash_command) tboot->required();
    }
    predict_command->callback([&] { run_predict(options); });
    hash_command->callback([&] { run_mle_hash(options); });
    try {
        app.parse(argc, argv);
        return 0;
    } catch (const CLI::ParseError& wrong) {
        return app.exit(wrong) == 0 ? 0 : 2;
    } catch (const std::exception& failure) {
        std::cerr << "casemate-txt: " << failure.what() << '\n';
        return 1;
    }
}
