// SPDX-License-Identifier: Apache-2.0
// `casemate-attest key`: which owners' and grant keys count.
#include <CLI/CLI.hpp>

#include "attest/cli/command.hpp"
#include "attest/cli/service.hpp"
#include "attest/cli/table.hpp"
#include "attest/cose/key_certificate.hpp"
#include "attest/verifier/encoding.hpp"

namespace casemate::cli {
namespace {

using verifier::Json;
using Form = Column::Form;

void list(const ServiceOptions& options) {
    const Json answer = call_service(options, "GET", "/v1/keys");
    if (options.json) return report(options, answer, "");
    print_table(answer["keys"], {{"KEY", "key_id"}, {"PURPOSE", "purpose"}, {"NAME", "name"}, {"FROM", "not_before", Form::time},
                                 {"UNTIL", "not_after", Form::time}, {"STATE", "state"}});
}

void import(const ServiceOptions& options, const std::string& purpose, const std::string& file) {
    const auto der = cose::read_certificate_file(file);
    if (!der.ok()) throw CannotRun(file + ": " + cose::describe(der.error()));
    const Json body{{"purpose", purpose}, {"certificate", verifier::to_base64(der.value())}};
    const Json answer = call_service(options, "POST", "/v1/keys", body.dump());
    report(options, answer, purpose + " key " + answer["key_id"].get<std::string>() + " counts");
}

} // namespace

void declare_key(CLI::App& program) {
    CLI::App* group = program.add_subcommand("key", "owners' and grant keys: which count, and until when");
    const auto options = declare_service(*group);
    group->add_subcommand("list", "all that were imported")->fallthrough()->callback([options] { list(*options); });
    auto purpose = std::make_shared<std::string>(), file = std::make_shared<std::string>();
    CLI::App* add = group->add_subcommand("import", "let a key count in its certificate's time (owner)")->fallthrough();
    add->add_option("PURPOSE", *purpose, "owner or grant")->required()->check(CLI::IsMember({"owner", "grant"}));
    add->add_option("FILE", *file, "its certificate (PEM)")->required();
    add->callback([options, purpose, file] { import(*options, *purpose, *file); });
    auto id = std::make_shared<std::string>();
    CLI::App* revoke = group->add_subcommand("revoke", "end a key for good (owner)")->fallthrough();
    revoke->add_option("KEY", *id, "its id, 64 hex digits")->required();
    revoke->callback([options, id] {
        report(*options, call_service(*options, "POST", "/v1/keys/" + *id + "/revocation"), *id + ": revoked");
    });
}

} // namespace casemate::cli
