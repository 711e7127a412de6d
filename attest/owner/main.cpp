// SPDX-License-Identifier: Apache-2.0
// casemate-owner: what the owner of platforms does on the command line. Exit status: 0 done, 1 not done (one sentence on standard error
// says why), 2 wrong usage.
#include "attest/owner/command.hpp"

#include <CLI/CLI.hpp>

#include <array>
#include <iostream>

int main(int argc, char** argv) {
    using namespace casemate::owner;
    CLI::App program{"What the owner of platforms does: provision them, seal secrets to their driver VMs, end old epochs.", "casemate"};
    program.require_subcommand(1);
    // ./casemate says where its build is, so that the options need not; they come first, before the subcommand.
    const std::string build = argc > 2 && std::string_view{argv[1]} == "--build" ? argv[2] : "";
    const int skipped = build.empty() ? 0 : 2;
    const Defaults defaults = build.empty() ? Defaults{"platform", "owner.pem", "reference.json", "."}
                                            : Defaults{build + "/platform", build + "/dev-keys/owner.pem", build + "/reference.json", build};
    constexpr std::array commands{&declare_provision, &declare_secret, &declare_bootstrap, &declare_epoch};
    for (const auto declare : commands) declare(program, defaults);
    try {
        program.parse(argc - skipped, argv + skipped);
        return 0;
    } catch (const CLI::ParseError& wrong) {
        return program.exit(wrong) == 0 ? 0 : 2; // --help is such an "error" too
    } catch (const std::exception& failure) {
        std::cerr << "casemate: " << failure.what() << ".\n";
        return 1;
    }
}
