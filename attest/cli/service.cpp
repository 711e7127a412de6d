// SPDX-License-Identifier: Apache-2.0
// See service.hpp.
#include "attest/cli/service.hpp"

#include <cstdio>

#include <CLI/CLI.hpp>

#include "attest/cli/command.hpp"
#include "attest/cli/files.hpp"
#include "attest/relay/verifier_client.hpp"

namespace casemate::cli {
namespace {

using verifier::Json;

constexpr std::size_t max_answer = 64 * 1024 * 1024;
constexpr std::chrono::seconds call_time{30};

/// What an operator can do about a refusal; empty when its own sentence says it.
std::string next_step(const std::string& code) {
    if (code == "role") return "Ask somebody with that role, or use their token or certificate.";
    if (code == "operator_only" || code == "certificate_unknown") return "Look at --token, or at the service's operators' file.";
    if (code == "rate") return "Try again in a moment.";
    if (code.ends_with("_unknown")) return "The list command shows what there is.";
    return {};
}

[[noreturn]] void say_refusal(const ServiceOptions& options, int status, const std::string& body) {
    const Json answer = Json::parse(body, nullptr, false);
    const bool ours = answer.is_object() && answer.contains("error") && answer["error"].is_object();
    const std::string code = ours ? answer["error"].value("code", "") : "";
    const std::string detail = ours ? answer["error"].value("detail", "") : "an answer that is none of this service's";
    if (options.json) std::printf("%s\n", ours ? answer.dump().c_str() : "{}");
    std::string text = "refused (" + (code.empty() ? std::to_string(status) : code) + "): " + detail + ".";
    if (const std::string step = next_step(code); !step.empty()) text += " " + step;
    std::fprintf(stderr, "casemate-attest: %s\n", text.c_str());
    throw Refused{};
}

void check(const ServiceOptions& options) {
    if (options.url.empty() || options.authority.empty())
        throw CannotRun("say where the service is: --url https://HOST:PORT and --ca its authority's PEM file");
    if (options.token_file.empty() && options.certificate.empty())
        throw CannotRun("say who you are: --token FILE, or --certificate FILE and --key FILE");
    if (options.certificate.empty() != options.key.empty()) throw CannotRun("--certificate and --key go together");
}

} // namespace

std::shared_ptr<ServiceOptions> declare_service(CLI::App& group) {
    auto options = std::make_shared<ServiceOptions>();
    group.add_option("--url", options->url, "the service, https://HOST:PORT")->envname("CASEMATE_URL");
    group.add_option("--ca", options->authority, "PEM, the authority of the service's certificate")->envname("CASEMATE_CA");
    group.add_option("--token", options->token_file, "file with your token, readable by you only")->envname("CASEMATE_TOKEN");
    group.add_option("--certificate", options->certificate, "PEM, your client certificate")->envname("CASEMATE_CERTIFICATE");
    group.add_option("--key", options->key, "PEM, its private key")->envname("CASEMATE_KEY");
    group.add_flag("--json", options->json, "print the service's answer");
    group.require_subcommand(1);
    return options;
}

Json call_service(const ServiceOptions& options, const std::string& method, const std::string& path, const std::string& body) {
    check(options);
    const std::string token = options.token_file.empty() ? "" : read_token(options.token_file);
    relay::VerifierClient client{options.url, options.authority, call_time, max_answer};
    if (!options.certificate.empty()) client.show_certificate(options.certificate, options.key);
    const relay::VerifierAnswer answer = client.call({method, path, token, method == "POST" ? body : ""});
    if (answer.status == 0)
        throw CannotRun("no answer from " + options.url + ": " + answer.body +
                        ". Does the service run there, and is --ca its authority?");
    if (answer.status != 200) say_refusal(options, answer.status, answer.body);
    return Json::parse(answer.body);
}

void report(const ServiceOptions& options, const Json& answer, const std::string& sentence) {
    std::printf("%s\n", options.json ? answer.dump(2).c_str() : sentence.c_str());
}

} // namespace casemate::cli
