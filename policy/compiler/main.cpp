// SPDX-License-Identifier: Apache-2.0
// casemate-policy: from the owner's TOML text to the signed bundle that is measured at launch.
//   compile SOURCE --key OWNER.pem --verifier-key GRANT.pub.pem --out policy.cbor
//   (with --inventory FILE where the source names devices by class: the output of lspci -Dnmm on the machine)
//   check SOURCE            show policy.cbor            decompile policy.cbor
//   who-can-hold POLICY 00:03.0       can-talk POLICY net0 client1       diff OLD NEW       (sources or bundles)
// Exit status: 0 done, and for a question yes; 1 refused (each reason on a line of its own, with file and line number); 3 for a question no.
#include "attest/cose/signer.hpp"
#include "policy/compiler/decompile.hpp"
#include "policy/compiler/inventory.hpp"
#include "policy/compiler/pci_text.hpp"
#include "policy/compiler/questions.hpp"
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

bool report(const std::string& path, const std::vector<policy::Problem>& problems) {
    for (const policy::Problem& problem : problems) {
        std::cerr << path << ":" << (problem.line != 0 ? std::to_string(problem.line) + ":" : "") << " "
                  << problem.what << "\n";
    }
    return problems.empty();
}

std::string inventory_file; // --inventory; empty: none

/// The policy, or nothing after the reasons were printed.
std::unique_ptr<policy::Source> read_policy(const std::string& path, const PublicKey& grant_key) {
    policy::Inventory inventory;
    if (!inventory_file.empty()) {
        const auto listing = read_file(inventory_file);
        inventory = policy::parse_inventory(listing.value_or(""));
        if (!report(inventory_file, inventory.problems)) return nullptr;
    }
    const auto text = read_file(path);
    if (!text) {
        refuse("cannot read " + path);
        return nullptr;
    }
    auto source = std::make_unique<policy::Source>(policy::read_source(*text, grant_key, inventory_file.empty() ? nullptr : &inventory));
    return report(path, source->problems) ? std::move(source) : nullptr;
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

/// For policy/lcp, which is a script: KEY=value lines.
int print_txt(const std::string& path) {
    const auto source = read_policy(path, {4}); // whose key is of no matter here
    if (!source) return 1;
    if (!source->txt) return refuse(path + " has no [txt]: it is of no Intel machine");
    std::cout << "tboot_command_line=" << source->txt->tboot_command_line << "\nminimum_sinit=" << source->txt->minimum_sinit << '\n';
    return 0;
}

/// A bundle whose signature holds, and its policy.
struct Opened {
    Bytes bytes;
    policy::Bundle bundle{};
    policy::Policy policy;
};

/// Nothing after the reason was printed.
std::unique_ptr<Opened> open_bundle(const std::string& path) {
    const auto no = [&](const std::string& why) {
        refuse(path + ": " + why);
        return nullptr;
    };
    const auto text = read_file(path);
    if (!text) return no("cannot be read");
    auto opened = std::make_unique<Opened>();
    opened->bytes.assign(text->begin(), text->end());
    const auto bundle = policy::open_bundle(opened->bytes);
    if (!bundle.ok()) return no(policy::describe(bundle.error()));
    const auto verified = policy::verify_bundle(bundle.value());
    if (!verified.ok()) return no(policy::describe(verified.error()));
    const auto result = policy::parse_policy(bundle.value().payload(), opened->policy);
    if (!result.ok()) return no(policy::describe(result.error().rule));
    opened->bundle = bundle.value();
    return opened;
}

int show(const std::string& path) {
    const auto opened = open_bundle(path);
    if (!opened) return 1;
    policy::show(std::cout, opened->policy, opened->bundle);
    return 0;
}

int decompile(const std::string& path) {
    const auto opened = open_bundle(path);
    if (!opened) return 1;
    std::cout << policy::decompile(opened->policy);
    return 0;
}

/// From a source or a bundle, whichever the file is.
std::unique_ptr<policy::Policy> read_any(const std::string& path) {
    constexpr char cose_tag = '\xd2'; // how a bundle begins, and no text
    const auto text = read_file(path);
    if (text && text->starts_with(cose_tag)) {
        const auto opened = open_bundle(path);
        return opened ? std::make_unique<policy::Policy>(opened->policy) : nullptr;
    }
    const PublicKey some_key{4};
    const auto source = read_policy(path, some_key);
    return source ? std::make_unique<policy::Policy>(source->policy) : nullptr;
}

constexpr int answer_no = 3;

int tell(const policy::Answer& answer, const char* when_silent = "") {
    for (const std::string& sentence : answer.sentences) std::cout << sentence << "\n";
    if (answer.sentences.empty()) std::cout << when_silent << "\n";
    return answer.yes ? 0 : answer_no;
}

struct Question {
    std::string policy, first, second;
};

int who_can_hold(const Question& question) {
    const auto address = policy::parse_address(question.first);
    if (!address) return refuse("'" + question.first + "' is no device: it must look like 00:03.0 or 0000:00:03.0");
    const auto policy = read_any(question.policy);
    return policy ? tell(policy::who_can_hold(*policy, *address)) : 1;
}

int can_talk(const Question& question) {
    const auto policy = read_any(question.policy);
    return policy ? tell(policy::can_talk(*policy, question.first, question.second)) : 1;
}

/// A source does not say who the verifier is: that is compared between two bundles only.
int diff(const Question& question) {
    const auto before = read_any(question.first), after = read_any(question.second);
    if (!before || !after) return 1;
    const PublicKey some_key{4};
    if (before->grant_key == some_key || after->grant_key == some_key) before->grant_key = after->grant_key;
    return tell(policy::difference(*before, *after), "the policies say the same");
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"The owner's policy: from TOML to a signed bundle, and back to readable text."};
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("--inventory", inventory_file, "the machine's devices, as lspci -Dnmm prints them there: for sources that name devices by class")->type_name("FILE");
    CompileOptions options;
    CLI::App* compile_command = app.add_subcommand("compile", "check, encode and sign");
    compile_command->add_option("SOURCE", options.source, "policy in TOML")->required();
    compile_command->add_option("--key", options.key, "the owner's private key (PEM)")->required();
    compile_command->add_option("--verifier-key", options.verifier_key, "the verifier's grant key (PEM, public)")
        ->required();
    compile_command->add_option("--out", options.out, "the bundle")->required();
    CLI::App* check_command = app.add_subcommand("check", "only check a source");
    check_command->add_option("SOURCE", options.source, "policy in TOML")->required();
    CLI::App* txt_command = app.add_subcommand("txt", "what a source says of a launch by Intel TXT");
    txt_command->add_option("SOURCE", options.source, "policy in TOML")->required();
    CLI::App* show_command = app.add_subcommand("show", "verify a bundle and print it");
    show_command->add_option("BUNDLE", options.out, "the bundle")->required();
    CLI::App* decompile_command = app.add_subcommand("decompile", "verify a bundle and print the source that compiles to it");
    decompile_command->add_option("BUNDLE", options.out, "the bundle")->required();
    Question question;
    CLI::App* hold_command = app.add_subcommand("who-can-hold", "which VMs may be granted a device");
    hold_command->add_option("POLICY", question.policy, "source or bundle")->required();
    hold_command->add_option("DEVICE", question.first, "such as 00:03.0")->required();
    CLI::App* talk_command = app.add_subcommand("can-talk", "whether two VMs have a link");
    talk_command->add_option("POLICY", question.policy, "source or bundle")->required();
    talk_command->add_option("VM", question.first, "one")->required();
    talk_command->add_option("OTHER", question.second, "the other")->required();
    CLI::App* diff_command = app.add_subcommand("diff", "what a new policy changes, in words");
    diff_command->add_option("OLD", question.first, "source or bundle")->required();
    diff_command->add_option("NEW", question.second, "source or bundle")->required();
    CLI11_PARSE(app, argc, argv);
    if (txt_command->parsed()) return print_txt(options.source);
    if (decompile_command->parsed()) return decompile(options.out);
    if (hold_command->parsed()) return who_can_hold(question);
    if (talk_command->parsed()) return can_talk(question);
    if (diff_command->parsed()) return diff(question);
    if (compile_command->parsed()) return compile(options);
    return check_command->parsed() ? check(options.source) : show(options.out);
}
