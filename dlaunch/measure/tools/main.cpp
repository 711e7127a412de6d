// SPDX-License-Identifier: Apache-2.0
// casemate-predict: writes reference.json for a launch of the given files, and prints the PCR values that it will have.
//   casemate-predict --slb slb.bin --hypervisor hypervisor.elf --policy policy.cbor --images DIR [--out reference.json]
#include "dlaunch/measure/crypto.hpp"
#include "dlaunch/measure/tools/prediction.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

namespace {

using namespace casemate;
using predict::Bytes;
using predict::Problem;

Result<Bytes, Problem> read_file(const std::filesystem::path& path) {
    std::ifstream file{path, std::ios::binary};
    if (!file) return Failure{Problem{"Cannot read " + path.string() + "."}};
    Bytes bytes{std::istreambuf_iterator<char>{file}, {}};
    if (file.bad() || bytes.empty()) return Failure{Problem{path.string() + " is empty or unreadable."}};
    return bytes;
}

/// Whole or not at all: a reader never sees half a document.
Result<Done, Problem> write_file(const std::filesystem::path& path, const std::string& text) {
    const std::filesystem::path temporary = path.string() + ".part";
    std::ofstream file{temporary, std::ios::binary | std::ios::trunc};
    file << text;
    file.close();
    std::error_code error;
    if (file) std::filesystem::rename(temporary, path, error);
    if (!file || error) return Failure{Problem{"Cannot write " + path.string() + "."}};
    return Done{};
}

struct Options {
    std::string slb, hypervisor, policy, images, out;
};

/// What ./casemate passes stands for what is not said.
void fill_in(Options& options, const std::string& build) {
    const auto otherwise = [&](std::string& option, const char* name) {
        if (option.empty()) option = build + "/" + name;
    };
    otherwise(options.slb, "bin/slb.bin");
    otherwise(options.hypervisor, "bin/hypervisor.elf");
    otherwise(options.policy, "policy.cbor");
    otherwise(options.images, "images");
}

Result<Done, Problem> run(const Options& options) {
    predict::Inputs inputs;
    inputs.slb = TRY(read_file(options.slb));
    inputs.hypervisor = TRY(read_file(options.hypervisor));
    inputs.policy = TRY(read_file(options.policy));
    inputs.image_digest = [&](std::string_view name) -> Result<measure::Sha256Digest, Problem> {
        return measure::sha256(TRY(read_file(std::filesystem::path{options.images} / name)));
    };
    const auto reference = TRY(predict::predict(inputs));
    if (!options.out.empty()) TRY(write_file(options.out, reference.dump(1) + "\n"));
    for (const auto& [bank, pcrs] : reference["pcrs"].items()) {
        for (const auto& [pcr, value] : pcrs.items()) {
            std::cout << "pcr" << pcr << '.' << bank << '=' << value.get<std::string>() << '\n';
        }
    }
    return Done{};
}

} // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app{"Predicts the measurements of a Casemate launch."};
    std::string build = ".";
    app.name("casemate predict");
    app.add_option("--build", build)->group("");
    app.add_option("--slb", options.slb, "secure loader block (slb.bin)");
    app.add_option("--hypervisor", options.hypervisor, "hypervisor (ELF)");
    app.add_option("--policy", options.policy, "signed policy bundle");
    app.add_option("--images", options.images, "folder with the VM images that the policy names");
    app.add_option("--out", options.out, "reference values to write (reference.json); without it the PCR values are printed only");
    CLI11_PARSE(app, argc, argv);
    fill_in(options, build);
    const auto done = run(options);
    if (done.ok()) return 0;
    std::cerr << "casemate-predict: " << done.error() << '\n';
    return 1;
}
