// SPDX-License-Identifier: Apache-2.0
// casemate-attest: the operator's command line. Exit status: 0 done, 1 done and the answer is no, 2 wrong usage or the work
// could not be done (one sentence on standard error says why).
#include "attest/cli/command.hpp"

#include <array>
#include <iostream>

#include <CLI/CLI.hpp>

int main(int argc, char** argv) {
    using namespace casemate::cli;
    constexpr std::array commands{&declare_platform, &declare_grant, &declare_bootstrap, &declare_reference, &declare_policy, &declare_key,
                                  &declare_token, &declare_result, &declare_evidence, &declare_audit};
    CLI::App program{"What an operator or auditor of the attestation service does on the command line.", "casemate-attest"};
    program.require_subcommand(1);
    for (const auto declare : commands) declare(program);
    try {
        program.parse(argc, argv);
        return 0;
    } catch (const CLI::ParseError& wrong) {
        return program.exit(wrong) == 0 ? 0 : 2; // --help is such an "error" too
    } catch (const Refused&) {
        return 1;
    } catch (const std::exception& failure) {
        std::cerr << "casemate-attest: " << failure.what() << "\n";
        return 2;
    }
}
