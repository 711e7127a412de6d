// SPDX-License-Identifier: Apache-2.0
// casemate-policy: from the owner's TOML text to the signed bundle that is measured at launch.
//   compile SOURCE --key OWNER.pem --verifier-key GRANT.pub.pem --out policy.cbor
//   check SOURCE            show policy.cbor
// Exit status: 0 done, 1 refused (each reason on a line of its own, with file and line number).
#include "attest/cose/signer.hpp"
#include "policy/compiler/show.hpp"
#include "policy/compiler/toml_source.hpp"
#include "policy/model/payload.hpp"

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>

namespace {

using namespace casemate;
using Bytes = std::vector<std::uint8_t>;
using PublicKey = std::array<std::uint8_t, policy::public_key_size>;

int refuse(const std::string& what) {
    std::cerr << "casemate-policy: " << what << "\n";
    return 1;
}

std::optional<std::string> read_file(const std::string& path) {
    std::ifstream stream{path, std::ios::binary};
    if (!stream) return std::nullopt;
    return std::string{std::istreambuf_iterator<char>{stream}, {}};
}

/// The policy, or nothing after the reasons were printed.
std::unique_ptr<policy::Source> read_policy(const std::string& path, const PublicKey& grant_key) {
    const auto text = read_file(path);
    if (!text) {
        refuse("cannot read " + path);
        return nullptr;
    }
    auto source = std::make_unique<policy::Source>(policy::read_source(*text, grant_key));
    for (const policy::Problem& problem : source->problems) {
        std::cerr << path << ":" << (problem.line != 0 ? std::to_string(problem.line) + ":" : "") << " "
                  << problem.what << "\n";
    }
    return source->problems.empty() ? std::move(source) : nullptr;
}

int check(const std::string& path) {
    const PublicKey some_key{4};
    if (!read_policy(path, some_key)) return 1;
    std::cout << path << ": valid\n";
    return 0;
}

struct CompileOptions {
    std::string source, key, verifier_key, out;
};

int compile(const CompileOptions& options) {
    const auto owner = cose::Signer::from_pem_file(options.key);
    if (!owner.ok()) return refuse(options.key + ": " + cose::describe(owner.error()));
    const auto grant_key = cose::read_public_key(options.verifier_key);
    if (!grant_key.ok()) return refuse(options.verifier_key + ": " + cose::describe(grant_key.error()));
    const auto source = read_policy(options.source, grant_key.value());
    if (!source) return 1;

    Bytes payload(policy::max_bundle), header(cose::max_protected);
    const ByteView encoded = policy::encode_policy(source->policy, payload);
    const ByteView protected_header = policy::encode_bundle_header(owner.value().public_key(), header);
    const auto bundle = owner.value().sign_message(protected_header, encoded);
    if (encoded.empty() || !bundle.ok()) return refuse("cannot sign the policy");
    if (bundle.value().size() > policy::max_bundle) return refuse("the bundle is larger than 64 KiB");
    std::ofstream out{options.out, std::ios::binary | std::ios::trunc};
    out.write(reinterpret_cast<const char*>(bundle.value().data()), static_cast<std::streamsize>(bundle.value().size()));
    out.close();
    return out ? 0 : refuse("cannot write " + options.out);
}

int show(const std::string& path) {
    const auto text = read_file(path);
    if (!text) return refuse("cannot read " + path);
    const Bytes bytes(text->begin(), text->end());
    const auto bundle = policy::open_bundle(bytes);
    if (!bundle.ok()) return refuse(path + ": " + policy::describe(bundle.error()));
    const auto verified = policy::verify_bundle(bundle.value());
    if (!verified.ok()) return refuse(path + ": " + policy::describe(verified.error()));
    const auto parsed = std::make_unique<policy::Policy>();
    const auto result = policy::parse_policy(bundle.value().payload(), *parsed);
    if (!result.ok()) return refuse(path + ": " + policy::describe(result.error().rule));
    policy::show(std::cout, *parsed, bundle.value());
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"The owner's policy: from TOML to a signed bundle, and back to readable text."};
    app.require_subcommand(1);
    CompileOptions options;
    CLI::App* compile_command = app.add_subcommand("compile", "check, encode and sign");
    compile_command->add_option("SOURCE", options.source, "policy in TOML")->required();
    compile_command->add_option("--key", options.key, "the owner's private key (PEM)")->required();
    compile_command->add_option("--verifier-key", options.verifier_key, "the verifier's grant key (PEM, public)")
        ->required();
    compile_command->add_option("--out", options.out, "the bundle")->required();
    CLI::App* check_command = app.add_subcommand("check", "only check a source");
    check_command->add_option("SOURCE", options.source, "policy in TOML")->required();
    CLI::App* show_command = app.add_subcommand("show", "verify a bundle and print it");
    show_command->add_option("BUNDLE", options.out, "the bundle")->required();
    CLI11_PARSE(app, argc, argv);
    if (compile_command->parsed()) return compile(options);
    return check_command->parsed() ? check(options.source) : show(options.out);
}
