// SPDX-License-Identifier: Apache-2.0
// `casemate-attest token`: tokens of operators.
#include <CLI/CLI.hpp>

#include "attest/cli/command.hpp"
#include "attest/cli/service.hpp"
#include "attest/cli/table.hpp"

namespace casemate::cli {
namespace {

using verifier::Json;
using Form = Column::Form;

struct NewToken {
    std::string name;
    std::string role;
    std::uint64_t days = 30;
};

void list(const ServiceOptions& options) {
    const Json answer = call_service(options, "GET", "/v1/tokens");
    if (options.json) return report(options, answer, "");
    print_table(answer["tokens"], {{"TOKEN", "token_id"}, {"NAME", "name"}, {"ROLE", "role"},
                                   {"EXPIRES", "expires_at", Form::time}, {"BY", "created_by"}});
}

void create(const ServiceOptions& options, const NewToken& wanted) {
    const Json body{{"name", wanted.name}, {"role", wanted.role}, {"lifetime_seconds", wanted.days * 24 * 3600}};
    const Json answer = call_service(options, "POST", "/v1/tokens", body.dump());
    report(options, answer, answer["token"].get<std::string>()); // alone on its line, for a file
}

} // namespace

void declare_token(CLI::App& program) {
    CLI::App* group = program.add_subcommand("token", "tokens of operators (owner)");
    const auto options = declare_service(*group);
    group->add_subcommand("list", "without their text")->fallthrough()->callback([options] { list(*options); });
    auto wanted = std::make_shared<NewToken>();
    CLI::App* make = group->add_subcommand("create", "make one and print it, once")->fallthrough();
    make->add_option("NAME", wanted->name, "of the operator, for the audit trail")->required();
    make->add_option("--role", wanted->role, "viewer, operator or owner")->required();
    make->add_option("--days", wanted->days, "how long it is good")->capture_default_str()->check(CLI::Range(1, 366));
    make->callback([options, wanted] { create(*options, *wanted); });
    auto id = std::make_shared<std::string>();
    CLI::App* remove = group->add_subcommand("remove", "end it now")->fallthrough();
    remove->add_option("TOKEN", *id, "its id, 32 hex digits")->required();
    remove->callback([options, id] {
        report(*options, call_service(*options, "DELETE", "/v1/tokens/" + *id), *id + ": ended");
    });
}

} // namespace casemate::cli
