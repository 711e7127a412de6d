// SPDX-License-Identifier: Apache-2.0
// casemate-policy: from the owner's TOML text to the signed bundle that is measured at launch.
//   compile SOURCE --key OWNER.pem --verifier-key GRANT.pub.pem --out policy.cbor
//   (with --inventory FILE where the source names devices by class: the output of lspci -Dnmm on the machine)
//   check SOURCE            show policy.cbor            decompile policy.cbor
//   who-can-hold POLICY 00:03.0       can-talk POLICY net0 client1       diff OLD NEW       (sources or bundles)
// Exit status: 0 done, and for a question yes; 1 refused (each reason on a line of its own, with file and line number); 3 for a question no.
#include "policy/compiler/command.hpp"
#include "policy/compiler/decompile.hpp"
#include "policy/compiler/pci_text.hpp"
#include "policy/compiler/questions.hpp"
#include "policy/compiler/show.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

namespace {

using namespace casemate;
using policy::PublicKey;
using policy::refuse;

constexpr int answer_no = 3;

std::string inventory_file; // --inventory; empty: none

int check(const std::string& path) {
    const PublicKey some_key{4};
    if (!policy::read_policy(path, some_key, inventory_file)) return 1;
    std::cout << path << ": valid\n";
    return 0;
}

/// For policy/lcp, which is a script: KEY=value lines.
int print_txt(const std::string& path) {
    const PublicKey some_key{4};
    const auto source = policy::read_policy(path, some_key, inventory_file);
    if (!source) return 1;
    if (!source->txt) return refuse(path + " has no [txt]: it is of no Intel machine");
    std::cout << "tboot_command_line=" << source->txt->tboot_command_line << "\nminimum_sinit=" << source->txt->minimum_sinit << '\n';
    return 0;
}

int show(const std::string& path) {
    const auto opened = policy::open_file(path);
    if (!opened) return 1;
    policy::show(std::cout, opened->policy, *opened->bundle);
    return opened->complete ? 0 : answer_no;
}

int decompile(const std::string& path) {
    const auto opened = policy::open_file(path);
    if (!opened) return 1;
    std::cout << policy::decompile(opened->policy);
    return 0;
}

/// From a source or a bundle, whichever the file is.
std::unique_ptr<policy::Policy> read_any(const std::string& path) {
    constexpr char sign1 = '\xd2', sign = '\xd8'; // how a bundle begins, and no text
    const auto text = policy::read_file(path);
    if (text && (text->starts_with(sign1) || text->starts_with(sign))) {
        const auto opened = policy::open_file(path);
        return opened ? std::make_unique<policy::Policy>(opened->policy) : nullptr;
    }
    const PublicKey some_key{4};
    const auto source = policy::read_policy(path, some_key, inventory_file);
    return source ? std::make_unique<policy::Policy>(source->policy) : nullptr;
}

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
    if (before->grant_key == some_key || after->grant_key == some_key)
        before->grant_key = after->grant_key, before->next_grant_key = after->next_grant_key;
    return tell(policy::difference(*before, *after), "the policies say the same");
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"The owner's policy: from TOML to a signed bundle, and back to readable text."};
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("--inventory", inventory_file, "the machine's devices, as lspci -Dnmm prints them there: for sources that name devices by class")->type_name("FILE");
    int status = 0;
    policy::declare_signing(app, inventory_file, status);
    std::string file;
    CLI::App* check_command = app.add_subcommand("check", "only check a source");
    check_command->add_option("SOURCE", file, "policy in TOML")->required();
    CLI::App* txt_command = app.add_subcommand("txt", "what a source says of a launch by Intel TXT");
    txt_command->add_option("SOURCE", file, "policy in TOML")->required();
    CLI::App* show_command = app.add_subcommand("show", "verify a bundle and print it");
    show_command->add_option("BUNDLE", file, "the bundle")->required();
    CLI::App* decompile_command = app.add_subcommand("decompile", "verify a bundle and print the source that compiles to it");
    decompile_command->add_option("BUNDLE", file, "the bundle")->required();
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
    if (txt_command->parsed()) return print_txt(file);
    if (decompile_command->parsed()) return decompile(file);
    if (hold_command->parsed()) return who_can_hold(question);
    if (talk_command->parsed()) return can_talk(question);
    if (diff_command->parsed()) return diff(question);
    if (show_command->parsed()) return show(file);
    return check_command->parsed() ? check(file) : status;
}
