// SPDX-License-Identifier: Apache-2.0
// `casemate-attest platform`: which platforms there are, and which of them are in service.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "attest/cli/command.hpp"
#include "attest/cli/files.hpp"
#include "attest/cli/inventory_file.hpp"
#include "attest/cli/platform_mail.hpp"
#include "attest/cli/service.hpp"
#include "attest/cli/table.hpp"

namespace casemate::cli {
namespace {

using verifier::Json;
using Options = std::shared_ptr<ServiceOptions>;
using Form = Column::Form;

struct Order {
    const char* name;
    const char* route; // POST /v1/platforms/{id}/<route>
    const char* help;
    const char* done;
};
constexpr Order orders[] = {
    {"approve", "approval", "list it and let it enrol without an EK certificate (owner)", "approved: it may enrol"},
    {"quarantine", "quarantine", "revoke its grants and refuse its evidence (operator)", "quarantined"},
    {"retire", "retirement", "take it out of the fleet; it enrols no more (owner)", "retired"},
    {"reinstate", "reinstatement", "take it back into service (owner)", "reinstated"},
    {"recall", "operator-orders/withdrawal", "withdraw the orders that wait for it (operator)", "its waiting orders are withdrawn"},
    {"rebind", "rebinding", "let it enrol once with another AK, after its TPM was cleared (operator)", "may enrol with another AK"},
};

void list(const ServiceOptions& options) {
    const Json answer = call_service(options, "GET", "/v1/platforms");
    if (options.json) return report(options, answer, "");
    print_table(answer["platforms"], {{"PLATFORM", "platform_id"}, {"STATE", "state"}, {"SILENT", "silent"}, {"VERDICT", "last_verdict"},
                                      {"ATTESTED", "last_attested_at", Form::time}, {"ENROLLED", "enrolled_at", Form::time},
                                      {"EK CERTIFICATE", "ek_certified"}});
}

std::string silence(const Json& platform) {
    return platform["silent"].get<bool>() ? "since " + time_text(platform["silent_since"]) : "no";
}

void show(const ServiceOptions& options, const std::string& id) {
    const Json answer = call_service(options, "GET", "/v1/platforms/" + id + "/detail");
    if (options.json) return report(options, answer, "");
    std::printf("platform  %s\nstate     %s\nsilent    %s\nverdict   %s\nattested  %s\nenrolled  %s\nbanks     %s\n\n", id.c_str(),
                answer["state"].get<std::string>().c_str(), silence(answer).c_str(),
                answer["last_verdict"].get<std::string>().c_str(),
                time_text(answer["last_attested_at"]).c_str(), time_text(answer["enrolled_at"]).c_str(),
                answer["banks"].get<std::string>().c_str());
    print_table(answer["grants"], {{"GRANT", "grant_id"}, {"DEVICE", "device"}, {"VM", "vm_id", Form::short_id},
                                   {"LEASE S", "lease_seconds"}, {"RENEWED", "renewed_at", Form::time},
                                   {"REVOKED", "revoked_at", Form::time}});
}

void expected(const ServiceOptions& options) {
    const Json answer = call_service(options, "GET", "/v1/inventory");
    if (options.json) return report(options, answer, "");
    print_table(answer["inventory"], {{"PLATFORM", "platform_id"}, {"LABEL", "label"}, {"ENROLLED", "enrolled"},
                                      {"WITHOUT CERTIFICATE", "without_certificate"}, {"BY", "added_by"}});
}

void import(const ServiceOptions& options, const std::string& file) {
    const Json answer = call_service(options, "POST", "/v1/inventory", inventory_of(read_file(file)).dump());
    report(options, answer, "listed " + answer["imported"].dump() + " platforms");
}

void declare_orders(CLI::App& group, const Options& options) {
    for (const Order& order : orders) {
        auto id = std::make_shared<std::string>();
        CLI::App* command = group.add_subcommand(order.name, order.help)->fallthrough();
        command->add_option("PLATFORM", *id, "its id, 64 hex digits")->required();
        command->callback([options, id, &order] {
            const Json answer = call_service(*options, "POST", "/v1/platforms/" + *id + "/" + order.route);
            std::string sentence = *id + ": " + order.done;
            if (answer.contains("revoked_grants")) sentence += ", " + answer["revoked_grants"].dump() + " grants revoked";
            report(*options, answer, sentence);
        });
    }
}

} // namespace

void declare_platform(CLI::App& program) {
    CLI::App* group = program.add_subcommand("platform", "platforms of the fleet");
    const Options options = declare_service(*group);
    group->add_subcommand("list", "all that enrolled")->fallthrough()->callback([options] { list(*options); });
    auto id = std::make_shared<std::string>();
    CLI::App* one = group->add_subcommand("show", "one, with its grants")->fallthrough();
    one->add_option("PLATFORM", *id, "its id, 64 hex digits")->required();
    one->callback([options, id] { show(*options, *id); });
    group->add_subcommand("expected", "the inventory")->fallthrough()->callback([options] { expected(*options); });
    auto file = std::make_shared<std::string>();
    CLI::App* listing = group->add_subcommand("import", "list expected platforms before they enrol (owner)")->fallthrough();
    listing->add_option("FILE", *file, "CSV or JSON, - for standard input")->required();
    listing->callback([options, file] { import(*options, *file); });
    declare_orders(*group, options);
    declare_platform_mail(*group, options);
}

} // namespace casemate::cli
