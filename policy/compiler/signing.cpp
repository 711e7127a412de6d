// SPDX-License-Identifier: Apache-2.0
// casemate-policy compile and sign: from a source to a bundle that its one owner has signed, or to a draft that goes from owner to owner
// (keys/README.md). A key that is out of date or revoked, by its certificate or the owners' file, signs nothing.
#include "attest/cose/key_certificate.hpp"
#include "attest/keystore/open_key.hpp"
#include "policy/compiler/command.hpp"
#include "policy/compiler/draft.hpp"
#include "policy/compiler/owners_file.hpp"
#include "policy/model/payload.hpp"

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <iostream>

namespace casemate::policy {
namespace {

namespace fs = std::filesystem;

struct Options {
    std::string source, owners, key, key_secret, certificate, verifier_key, next_verifier_key, out;
};

std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// `owner.crt.pem` beside `owner.pem`, where that is there.
std::string certificate_of(const Options& options) {
    if (!options.certificate.empty() || !options.key.ends_with(".pem")) return options.certificate;
    const std::string beside = options.key.substr(0, options.key.size() - 4) + ".crt.pem";
    return fs::exists(beside) ? beside : "";
}

/// Empty: there is no certificate, or it is this key's and in date.
std::string wrong_with_certificate(const Options& options, ByteView key) {
    const std::string path = certificate_of(options);
    if (path.empty()) return {};
    const auto der = cose::read_certificate_file(path);
    if (!der.ok()) return path + ": " + cose::describe(der.error());
    const auto certificate = cose::parse_key_certificate(der.value());
    if (!certificate.ok()) return path + ": " + cose::describe(certificate.error());
    if (!equal(certificate.value().key, key)) return path + ": is not of this key";
    const std::string late = cose::out_of_date(certificate.value(), now());
    return late.empty() ? "" : path + ": the key " + late;
}

/// The set of an owners' file, or nothing after the reasons were printed.
std::optional<Bytes> set_of(const std::string& file) {
    const auto text = read_file(file);
    if (!text) return refuse("cannot read " + file), std::nullopt;
    const auto beside = [&](const std::string& name) { return cose::read_certificate_file((fs::path{file}.parent_path() / name).string()); };
    const Owners owners = read_owners(*text, beside, now());
    if (!report(file, owners.problems)) return std::nullopt;
    return owners.encoded();
}

int written(const Result<Bytes, std::string>& bundle, const std::string& path, const std::string& about) {
    if (!bundle.ok()) return refuse(about + ": " + bundle.error());
    if (!write_file(path, bundle.value())) return refuse("cannot write " + path);
    const auto opened = open_bundle(bundle.value());
    const std::size_t missing = opened.value().owners.threshold() - opened.value().message.count;
    if (missing > 0) std::cout << path << ": " << missing << (missing == 1 ? " signature is missing\n" : " signatures are missing\n");
    return 0;
}

/// The source's payload, with the verifier's keys in it.
std::optional<Bytes> payload_of(const Options& options, const std::string& inventory_file) {
    const auto grant_key = cose::read_public_key(options.verifier_key);
    if (!grant_key.ok()) return refuse(options.verifier_key + ": " + cose::describe(grant_key.error())), std::nullopt;
    const auto source = read_policy(options.source, grant_key.value(), inventory_file);
    if (!source) return std::nullopt;
    if (!options.next_verifier_key.empty()) {
        const auto next = cose::read_public_key(options.next_verifier_key);
        if (!next.ok()) return refuse(options.next_verifier_key + ": " + cose::describe(next.error())), std::nullopt;
        source->policy.next_grant_key = next.value();
    }
    const auto valid = validate(source->policy);
    if (!valid.ok()) return refuse(describe(valid.error().rule)), std::nullopt;
    Bytes payload(max_bundle);
    payload.resize(encode_policy(source->policy, payload).size());
    return payload;
}

int compile(const Options& options, const std::string& inventory_file) {
    if (options.owners.empty() == options.key.empty()) return refuse("compile needs --key (one owner, who signs at once) or --owners (a draft for several)");
    if (!options.owners.empty()) {
        const auto owners = set_of(options.owners);
        const auto payload = owners ? payload_of(options, inventory_file) : std::nullopt;
        return payload ? written(make_draft(*payload, *owners), options.out, options.owners) : 1;
    }
    const auto owner = keystore::open_key(options.key, options.key_secret);
    if (!owner.ok()) return refuse(owner.error());
    const std::string wrong = wrong_with_certificate(options, owner.value().public_key());
    if (!wrong.empty()) return refuse(wrong);
    const auto payload = payload_of(options, inventory_file);
    return payload ? written(sign_alone(*payload, owner.value()), options.out, options.source) : 1;
}

int sign(const Options& options) {
    const auto draft = read_file(options.source);
    if (!draft) return refuse("cannot read " + options.source);
    const auto owners = set_of(options.owners);
    if (!owners) return 1;
    const auto owner = keystore::open_key(options.key, options.key_secret);
    if (!owner.ok()) return refuse(owner.error());
    const Bytes bytes{draft->begin(), draft->end()};
    return written(add_signature(bytes, *owners, owner.value()), options.out.empty() ? options.source : options.out, options.source);
}

} // namespace

void declare_signing(CLI::App& program, const std::string& inventory_file, int& status) {
    const auto options = std::make_shared<Options>();
    CLI::App* const make = program.add_subcommand("compile", "check and encode; sign as the one owner (--key), or make a draft for several (--owners)");
    make->add_option("SOURCE", options->source, "policy in TOML")->required();
    make->add_option("--owners", options->owners, "the owners' file: who must sign, how many of them")->type_name("FILE");
    make->add_option("--verifier-key", options->verifier_key, "the verifier's grant key (PEM, public)")->required();
    make->add_option("--next-verifier-key", options->next_verifier_key, "a second one that counts as well, while the verifier changes its key");
    make->add_option("--certificate", options->certificate, "the owner's certificate; OWNER.crt.pem beside OWNER.pem if that is there");
    make->add_option("--out", options->out, "the bundle, or the draft")->required();
    CLI::App* const add = program.add_subcommand("sign", "add one owner's signature to a draft");
    add->add_option("DRAFT", options->source, "as compile --owners or another owner's sign left it")->required();
    add->add_option("--owners", options->owners, "your own copy of the owners' file: a draft of other owners is refused")->required()->type_name("FILE");
    add->add_option("--out", options->out, "where to; DRAFT itself if not told");
    for (CLI::App* const each : {make, add}) {
        each->add_option("--key", options->key, "the owner's private key: PEM file, pkcs11:... or tpm:... (docs/interfaces/grant-key.md)")->required(each == add);
        each->add_option("--key-secret", options->key_secret, "file with the PIN or password of that device, mode 0600")->type_name("FILE");
    }
    make->callback([options, &inventory_file, &status] { status = compile(*options, inventory_file); });
    add->callback([options, &status] { status = sign(*options); });
}

} // namespace casemate::policy
