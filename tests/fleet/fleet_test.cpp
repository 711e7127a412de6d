// SPDX-License-Identifier: Apache-2.0
// A small fleet against the real casemate-verifierd: what each platform gets, and what the store holds afterwards.
#include <catch2/catch.hpp>

#include <algorithm>
#include <optional>

#include "tests/fleet/fleet.hpp"
#include "tests/fleet/materials.hpp"
#include "tests/fleet/service_process.hpp"

using namespace casemate;
using namespace casemate::fleet;

namespace {

std::filesystem::path beside_this_program(const char* name) {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

std::size_t count(const std::vector<store::AppraisalRecord>& results, const std::string& verdict) {
    return static_cast<std::size_t>(std::count_if(results.begin(), results.end(), [&](const auto& each) { return each.verdict == verdict; }));
}

/// A service, and what its store must hold in the end.
class Played {
public:
    explicit Played(std::vector<std::string> more_options) {
        std::vector<std::string> options = materials.verifier_options();
        options.insert(options.end(), more_options.begin(), more_options.end());
        service.emplace(beside_this_program("casemate-verifierd"), scratch.path(), options);
        target.emplace(service->port(), materials.file("tls.pem"));
    }

    test::ScratchDirectory scratch;
    Materials materials{scratch / "materials"};
    std::optional<ServiceProcess> service;
    boost::asio::io_context io{1};
    std::optional<Target> target;
};

void check(const std::vector<Outcome>& outcomes) {
    for (const Outcome& outcome : outcomes) {
        CAPTURE(outcome.who);
        CHECK(outcome.got == outcome.expected);
    }
}

} // namespace

TEST_CASE("every platform of a fleet gets what it should, and the store agrees", "[fleet]") {
    Played played{{"--quiet"}};
    Stage stage{played.io, *played.target, played.materials.authority(), played.materials.model(), played.materials.grant_key(), 0, {}};
    const FleetPlan plan{.honest = 50, .with_rsa = 2, .renewals = 3, .only_misbehaviour = {}, .but_misbehaviour = "slow-client"};
    const std::vector<Outcome> outcomes = run_fleet(stage, plan);
    CHECK(outcomes.size() == plan.honest + misbehaviours().size() - 1);
    check(outcomes);

    REQUIRE(played.service->stop() == 0);
    const auto rows = store::open_sqlite_store(played.service->database());
    const auto platforms = rows->platforms();
    CHECK(platforms.size() == stage.tally.enrolled);
    for (const store::Platform& platform : platforms) CHECK(platform.last_verdict == "affirming");
    const auto results = rows->results(100'000);
    CHECK(count(results, "affirming") == stage.tally.affirming);
    CHECK(count(results, "contraindicated") == stage.tally.contraindicated);
    CHECK(results.size() == stage.tally.affirming + stage.tally.contraindicated);
    CHECK(rows->grants(100'000).size() == stage.tally.grants);
    CHECK(stage.tally.grants == 2 * platforms.size());
    CHECK(stage.tally.renewals >= 2 * plan.honest * plan.renewals);
}

TEST_CASE("a client that sends a byte at a time is cut off, and others are served meanwhile", "[fleet]") {
    Played played{{"--quiet", "--request-seconds", "3"}};
    Stage stage{played.io, *played.target, played.materials.authority(), played.materials.model(), played.materials.grant_key(), 0, {}};
    const FleetPlan plan{.honest = 3, .with_rsa = 0, .renewals = 2, .only_misbehaviour = "slow-client", .but_misbehaviour = {}};
    check(run_fleet(stage, plan));
}
