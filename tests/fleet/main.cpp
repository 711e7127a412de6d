// SPDX-License-Identifier: Apache-2.0
// casemate-fleet: virtual platforms against a verifier. Exit status: 0 every platform got what it should have got, 1 one did
// not, 2 it could not be tried.
#include <iostream>

#include <CLI/CLI.hpp>

#include "tests/fleet/fleet.hpp"
#include "tests/fleet/materials.hpp"
#include "tests/fleet/service_process.hpp"
#include "tests/unit/verifier_scratch.hpp"

namespace {

using namespace casemate;
using namespace casemate::fleet;

struct CommandLine {
    std::filesystem::path materials;
    std::filesystem::path verifierd;
    std::uint16_t port = 0;
    FleetPlan plan;
    bool json = false;
};

void declare(CLI::App& app, CommandLine& line) {
    app.add_option("--materials", line.materials, "directory of keys, certificates and reference values; made when it is not there")->required();
    auto* port = app.add_option("--port", line.port, "of a service at 127.0.0.1 that was started with these materials");
    app.add_option("--verifierd", line.verifierd, "start this casemate-verifierd, with a store that goes away")->excludes(port);
    app.add_option("--platforms", line.plan.honest, "honest platforms")->capture_default_str()->check(CLI::Range(0, 100000));
    app.add_option("--rsa", line.plan.with_rsa, "of them, with an RSA EK")->capture_default_str();
    app.add_option("--renewals", line.plan.renewals, "of each honest platform")->capture_default_str();
    app.add_option("--misbehaviour", line.plan.only_misbehaviour, "only this one, or none; without: all");
    app.add_flag("--json", line.json, "print outcomes as JSON");
}

int print(const std::vector<Outcome>& outcomes, const Tally& tally, bool as_json) {
    std::size_t bad = 0;
    Json list = Json::array();
    for (const Outcome& outcome : outcomes) {
        bad += outcome.good() ? 0 : 1;
        list.push_back({{"who", outcome.who}, {"expected", outcome.expected}, {"got", outcome.got}});
        if (!as_json && !outcome.good())
            std::cout << outcome.who << ": got \"" << outcome.got << "\", not \"" << outcome.expected << "\"\n";
    }
    const Json sums{{"platforms", outcomes.size()}, {"as_expected", outcomes.size() - bad}, {"enrolled", tally.enrolled},
                    {"affirming", tally.affirming}, {"contraindicated", tally.contraindicated}, {"grants", tally.grants},
                    {"renewals", tally.renewals}};
    if (as_json) std::cout << Json{{"outcomes", list}, {"sums", sums}}.dump(1) << "\n";
    else std::cout << sums.dump() << "\n";
    return bad == 0 ? 0 : 1;
}

int run(const CommandLine& line) {
    Materials materials{line.materials};
    std::optional<test::ScratchDirectory> scratch;
    std::optional<ServiceProcess> service;
    std::uint16_t port = line.port;
    if (!line.verifierd.empty()) {
        scratch.emplace();
        std::vector<std::string> options = materials.verifier_options();
        options.insert(options.end(), {"--quiet", "--max-connections", "20000"});
        port = service.emplace(line.verifierd, scratch->path(), options).port();
    }
    if (port == 0) {
        std::cout << "casemate-verifierd --state DIR --listen 127.0.0.1:8443";
        for (const std::string& option : materials.verifier_options()) std::cout << " " << option;
        std::cout << "\n";
        return 0;
    }
    boost::asio::io_context io{1};
    Target target{port, materials.file("tls.pem")};
    Stage stage{io, target, materials.authority(), materials.model(), materials.grant_key(), 0, {}};
    return print(run_fleet(stage, line.plan), stage.tally, line.json);
}

} // namespace

int main(int argc, char** argv) {
    CommandLine line;
    CLI::App app{"Virtual platforms that enrol, attest, renew and misbehave. With materials alone: how to start a service for them.",
                 "casemate-fleet"};
    declare(app, line);
    CLI11_PARSE(app, argc, argv);
    try {
        return run(line);
    } catch (const std::exception& problem) {
        std::cerr << "casemate-fleet: " << problem.what() << "\n";
        return 2;
    }
}
