// SPDX-License-Identifier: Apache-2.0
// See service.hpp.
#include "attest/cli/service.hpp"

#include <cstdio>

#include <CLI/CLI.hpp>

#include "attest/cli/command.hpp"

namespace casemate::cli {
namespace {

using verifier::Json;

[[noreturn]] void say_refusal(const ServiceOptions& options, const client::CallError& error) {
    if (options.json) std::printf("%s\n", error.answer.is_object() ? error.answer.dump().c_str() : "{}");
    std::fprintf(stderr, "casemate-attest: %s.\n", error.sentence().c_str());
    throw Refused{};
}

} // namespace

std::shared_ptr<ServiceOptions> declare_service(CLI::App& group) {
    auto options = std::make_shared<ServiceOptions>();
    client::add_service_options(group, *options);
    group.add_flag("--json", options->json, "print the service's answer");
    group.require_subcommand(1);
    return options;
}

Json call_service(const ServiceOptions& options, const std::string& method, const std::string& path, const std::string& body) {
    auto answer = client::RemoteService{options}.call(method, path, body);
    if (answer.ok()) return std::move(answer).value();
    if (answer.error().kind == client::CallError::Kind::not_made) throw CannotRun(answer.error().detail);
    say_refusal(options, answer.error());
}

void report(const ServiceOptions& options, const Json& answer, const std::string& sentence) {
    std::printf("%s\n", options.json ? answer.dump(2).c_str() : sentence.c_str());
}

} // namespace casemate::cli
