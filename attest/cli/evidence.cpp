// SPDX-License-Identifier: Apache-2.0
// `casemate-attest evidence`: what the service keeps of a platform, and the same appraisal offline, with a reason for people.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "attest/cli/command.hpp"
#include "attest/cli/files.hpp"
#include "attest/cli/service.hpp"
#include "attest/cli/txt_evidence.hpp"
#include "attest/verifier/encoding.hpp"
#include "attest/verifier/evidence_body.hpp"
#include "attest/verifier/judgement.hpp"
#include "attest/verifier/service.hpp"
#include "attest/verifier/tpm_public.hpp"

namespace casemate::cli {
namespace {

using verifier::Bytes;
using verifier::Json;

using Options = TxtOptions; // the log of a TXT launch needs more of them than saved evidence

template <typename Value>
Value good(const std::string& file, Result<Value, verifier::ApiError> result) {
    if (!result) throw CannotRun(file + ": " + result.error().detail);
    return std::move(result).value();
}

verifier::References sets_of(const Options& options) {
    verifier::References sets;
    for (const std::string& file : options.references) {
        const std::string text = read_file(file);
        const Json document = good(file, verifier::parse_object(text));
        const std::string id = verifier::to_hex(verifier::sha256(verifier::as_bytes(text)));
        sets.push_back(good(file, verifier::LoadedReference::load(id, document, {}))); // any verifier's grant key
    }
    return sets;
}

/// The AK of the saved evidence, or, when the file is not trusted for that, the one of --ak.
Bytes ak_of(const Options& options, const Json& saved) {
    if (options.ak.empty()) return good(options.file, verifier::bytes_member(saved, "ak_public", 1024));
    const std::string text = read_file(options.ak);
    return verifier::to_bytes(verifier::as_bytes(text));
}

void explain_saved(const Options& options, const std::string& text) {
    if (!options.quote.empty() || !options.signature.empty() || !options.nonce.empty() || !options.pcrs.empty())
        throw CannotRun(options.file + " is saved evidence, which has its quote in it");
    const Json saved = good(options.file, verifier::parse_object(text));
    if (!saved.contains("evidence") || !saved["evidence"].is_object())
        throw CannotRun(options.file + " is no saved evidence: casemate-attest evidence fetch PLATFORM writes such a file");
    const verifier::EvidenceBody evidence = good(options.file, verifier::EvidenceBody::parse(saved["evidence"]));
    verifier::Facts facts;
    facts.ak_public = ak_of(options, saved);
    if (!verifier::parse_attestation_key(verifier::tpm2b(facts.ak_public))) throw CannotRun("the AK is no TPMT_PUBLIC of an attestation key");
    facts.banks = good(options.file, verifier::text_member(saved, "banks", 64));
    facts.nonce = good(options.file, verifier::bytes_member(saved, "nonce", 64));
    facts.challenge_id = evidence.challenge_id();
    facts.now = verifier::system_now();
    const verifier::Judgement judgement{evidence.bundle(), facts, sets_of(options)};
    const Json answer{{"verdict", judgement.verdict()}, {"explanation", judgement.explanation()},
                      {"reasons", judgement.reasons()}, {"reference_id", judgement.reference()}};
    if (options.json) {
        std::printf("%s\n", answer.dump(2).c_str());
    } else {
        std::printf("%s\n%s\n", judgement.verdict(), judgement.explanation().c_str());
        for (const Json& reason : judgement.reasons())
            std::printf("  %s  %s\n", reason["code"].get<std::string>().c_str(), reason["detail"].get<std::string>().c_str());
    }
    if (!judgement.affirming()) throw Refused{};
}

/// Saved evidence is a JSON object, a log is binary.
void explain(const Options& options) {
    const std::string file = read_file(options.file);
    const std::size_t first = file.find_first_not_of(" \t\r\n");
    if (first != std::string::npos && file[first] == '{') explain_saved(options, file);
    else explain_txt(options, file);
}

} // namespace

void declare_evidence(CLI::App& program) {
    CLI::App* group = program.add_subcommand("evidence", "evidence of platforms");
    const auto service = declare_service(*group);
    auto id = std::make_shared<std::string>();
    CLI::App* fetch = group->add_subcommand("fetch", "a platform's newest evidence, as JSON for explain")->fallthrough();
    fetch->add_option("PLATFORM", *id, "its id, 64 hex digits")->required();
    fetch->callback([service, id] {
        std::printf("%s\n", call_service(*service, "GET", "/v1/platforms/" + *id + "/evidence").dump().c_str());
    });
    auto options = std::make_shared<Options>();
    CLI::App* command = group->add_subcommand("explain", "appraise saved evidence, or the raw log of a TXT launch, offline; status 1 when it does not pass");
    command->add_option("FILE", options->file, "what fetch printed, or a TXT log; - for standard input")->required();
    command->add_option("--reference", options->references, "reference.json; repeatable: one must match wholly");
    command->add_option("--ak", options->ak, "the AK: TPMT_PUBLIC, instead of the one in FILE; for a TXT log also TPM2B_PUBLIC or PEM");
    command->add_option("--quote", options->quote, "for a TXT log: the quote's message (TPMS_ATTEST)");
    command->add_option("--signature", options->signature, "and its signature (TPMT_SIGNATURE, or plain)");
    command->add_option("--nonce", options->nonce, "and the qualifying data that was asked for, hexadecimal");
    command->add_option("--pcrs", options->pcrs, "and the values of the quoted PCRs, where the log does not give all of them");
    command->add_flag("--json", options->json, "say it in JSON");
    command->callback([options] { explain(*options); });
}

} // namespace casemate::cli
