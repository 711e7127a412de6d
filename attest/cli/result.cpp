// SPDX-License-Identifier: Apache-2.0
// `casemate-attest result verify`: a signed result, checked offline with the verifier's public key alone.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "attest/cli/command.hpp"
#include "attest/cli/files.hpp"
#include "attest/cli/table.hpp"
#include "attest/verifier/encoding.hpp"
#include "attest/verifier/result_token.hpp"
#include "attest/verifier/service.hpp"

namespace casemate::cli {
namespace {

using verifier::Json;

struct Options {
    std::string file;
    std::string key;
    std::string nonce;
    bool json = false;
};

[[noreturn]] void refuse(const Options& options, const std::string& word, const std::string& detail) {
    if (options.json) std::printf("%s\n", Json{{"valid", false}, {"code", word}, {"detail", detail}}.dump(2).c_str());
    else std::fprintf(stderr, "casemate-attest: refused (%s): %s.\n", word.c_str(), detail.c_str());
    throw Refused{};
}

/// The file holds the token alone, or the answer of GET /v1/platforms/{id}/result.
std::string token_in(const std::string& path) {
    std::string text = read_file(path);
    if (text.starts_with('{')) {
        const auto answer = verifier::parse_object(text);
        if (!answer || !answer.value().contains("result") || !answer.value()["result"].is_string())
            throw CannotRun(path + " holds neither a result nor an answer with one");
        return answer.value()["result"];
    }
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return text;
}

/// Base64url without padding, as the claim has it, of base64 as the API has it.
std::string as_claim(std::string nonce) {
    for (char& c : nonce) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return nonce.substr(0, nonce.find('='));
}

void print(const Json& claims) {
    const Json& about = claims["submods"]["platform"];
    std::printf("platform   %s\nstatus     %s\nissued     %s\nexpires    %s\n", about["casemate_platform_id"].get<std::string>().c_str(),
                about["ear_status"].get<std::string>().c_str(), time_text(claims["iat"].get<std::int64_t>() * 1000).c_str(),
                time_text(claims["exp"].get<std::int64_t>() * 1000).c_str());
    std::printf("reference  %s\n%s\n", about.value("casemate_reference_id", "-").c_str(),
                about.value("casemate_explanation", "").c_str());
}

void verify(const Options& options) {
    const auto key = cose::read_public_key(options.key);
    if (!key) throw CannotRun("key " + options.key + ": " + cose::describe(key.error()));
    const auto read = verifier::verify_result(token_in(options.file), key.value(), verifier::system_now());
    if (!read) refuse(options, verifier::name_of(read.error().why), read.error().detail);
    const Json& claims = read.value();
    if (!options.nonce.empty() && claims["eat_nonce"] != as_claim(options.nonce))
        refuse(options, "result_nonce", "the result answers another nonce");
    const std::string status = claims["submods"]["platform"]["ear_status"];
    if (options.json) std::printf("%s\n", Json{{"valid", true}, {"status", status}, {"claims", claims}}.dump(2).c_str());
    else print(claims);
    if (status != "affirming") throw Refused{};
}

} // namespace

void declare_result(CLI::App& program) {
    CLI::App* group = program.add_subcommand("result", "signed results of the verifier");
    group->require_subcommand(1);
    auto options = std::make_shared<Options>();
    CLI::App* command = group->add_subcommand("verify", "check one offline; status 1 when it is not good or does not affirm");
    command->add_option("FILE", options->file, "the result, or the service's answer with it; - for standard input")->required();
    command->add_option("--key", options->key, "PEM, the verifier's public result key")->required();
    command->add_option("--nonce", options->nonce, "base64; the nonce that the evidence must have answered");
    command->add_flag("--json", options->json, "say it in JSON");
    command->callback([options] { verify(*options); });
}

} // namespace casemate::cli
