// SPDX-License-Identifier: Apache-2.0
// See platform_mail.hpp.
#include "attest/cli/platform_mail.hpp"

#include <cstdio>

#include <CLI/CLI.hpp>

#include "attest/cli/files.hpp"
#include "attest/cli/reported_status.hpp"
#include "attest/cli/table.hpp"

namespace casemate::cli {
namespace {

using verifier::Json;
using Form = Column::Form;

struct Wish {
    std::string platform, vm, order, file;
};

std::string path_of(const Wish& wish, const char* rest) { return "/v1/platforms/" + wish.platform + rest; }

void status(const ServiceOptions& options, const Wish& wish) {
    const Json answer = call_service(options, "GET", path_of(wish, "/status"));
    if (options.json) return report(options, answer, "");
    const Json& told = answer["report"];
    std::printf("platform  %s\nreported  %s, by the platform's own word: only evidence proves\nverdict   %s\nuptime    %s ms\n\n", wish.platform.c_str(),
                time_text(answer["at"]).c_str(), shown(told, "/agent/verdict").c_str(), shown(told, "/uptime_ms").c_str());
    print_table(reported_vms(told), {{"VM", "name"}, {"STATE", "state"}, {"STARTS", "starts"}, {"MEMORY MIB", "memory_mib"}});
    std::printf("\n");
    print_table(reported_devices(told), {{"DEVICE", "device"}, {"STATE", "state"}, {"LEASE MS LEFT", "lease_ms_left"}});
}

void order(const ServiceOptions& options, const Wish& wish) {
    const Json answer = call_service(options, "POST", path_of(wish, "/operator-orders"), Json{{"vm", wish.vm}, {"order", wish.order}}.dump());
    report(options, answer, "order " + answer["id"].dump() + " waits for the platform: platform orders shows what became of it");
}

void orders(const ServiceOptions& options, const Wish& wish) {
    Json answer = call_service(options, "GET", path_of(wish, "/operator-orders"));
    if (options.json) return report(options, answer, "");
    for (Json& each : answer["orders"])
        if (each.contains("error")) each["result"] = order_result(each["error"]);
    print_table(answer["orders"], {{"ORDER", "id"}, {"VM", "vm"}, {"WHAT", "order"}, {"GIVEN", "given_at", Form::time}, {"BY", "given_by"},
                                   {"STATE", "state"}, {"RESULT", "result"}, {"TOLD", "told_at", Form::time}});
}

void secrets(const ServiceOptions& options, const Wish& wish) {
    const Json answer = call_service(options, "POST", path_of(wish, "/secrets"), read_file(wish.file));
    report(options, answer, wish.platform + ": " + answer["stored"].dump() + " sealed secrets stored, in place of those before");
}

} // namespace

void declare_platform_mail(CLI::App& group, const std::shared_ptr<ServiceOptions>& options) {
    const auto wish = std::make_shared<Wish>();
    const auto add = [&](const char* name, const char* help, auto run) {
        CLI::App* command = group.add_subcommand(name, help)->fallthrough();
        command->add_option("PLATFORM", wish->platform, "its id, 64 hex digits")->required();
        command->callback([options, wish, run] { run(*options, *wish); });
        return command;
    };
    add("status", "its newest status report, if its agent has no relay", &status);
    CLI::App* give = add("order", "tell it to stop, start or restart a driver VM (operator)", &order);
    give->add_option("VM", wish->vm, "the driver VM's name")->required();
    give->add_option("ORDER", wish->order, "stop, start or restart")->required()->check(CLI::IsMember({"stop", "start", "restart"}));
    add("orders", "orders given to it, and what became of them", &orders);
    CLI::App* store = add("secrets", "replace its sealed secrets, which its agent fetches (owner)", &secrets);
    store->add_option("FILE", wish->file, "secrets.json of the platform's directory, - for standard input")->required();
}

} // namespace casemate::cli
