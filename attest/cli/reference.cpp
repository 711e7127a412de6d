// SPDX-License-Identifier: Apache-2.0
// `casemate-attest reference`: the builds that are accepted.
#include <CLI/CLI.hpp>

#include "attest/cli/command.hpp"
#include "attest/cli/files.hpp"
#include "attest/cli/service.hpp"
#include "attest/cli/table.hpp"

namespace casemate::cli {
namespace {

using verifier::Json;

void list(const ServiceOptions& options) {
    const Json answer = call_service(options, "GET", "/v1/reference");
    if (options.json) return report(options, answer, "");
    print_table(answer["references"], {{"REFERENCE SET", "reference_id"}, {"IMPORTED", "imported_at", Column::Form::time},
                                       {"SOURCE", "source"}});
}

} // namespace

void declare_reference(CLI::App& program) {
    CLI::App* group = program.add_subcommand("reference", "reference sets: the builds that are accepted");
    const auto options = declare_service(*group);
    group->add_subcommand("list", "the accepted ones")->fallthrough()->callback([options] { list(*options); });
    auto file = std::make_shared<std::string>();
    CLI::App* import = group->add_subcommand("import", "accept a build (owner)")->fallthrough();
    import->add_option("FILE", *file, "reference.json of the build, - for standard input")->required();
    import->callback([options, file] {
        const Json answer = call_service(*options, "POST", "/v1/reference", read_file(*file));
        report(*options, answer, "accepted as " + answer["reference_id"].get<std::string>());
    });
    auto id = std::make_shared<std::string>();
    CLI::App* remove = group->add_subcommand("remove", "accept it no longer (owner)")->fallthrough();
    remove->add_option("SET", *id, "its id, 64 hex digits")->required();
    remove->callback([options, id] {
        report(*options, call_service(*options, "DELETE", "/v1/reference/" + *id), *id + ": accepted no longer");
    });
}

} // namespace casemate::cli
