// SPDX-License-Identifier: Apache-2.0
// What happens elsewhere shows on the page without a reload; and the page says when it cannot.
#include <catch2/catch.hpp>

#include "tests/page/world.hpp"

using namespace casemate;
using namespace casemate::page;

namespace {

void open_platform(World& world, const std::string& label) {
    world.browser->run("window.same_page = 1; location.hash = '#/platform/' + arguments[0]", {world.id(label)});
    world.browser->wait_for("the platform is shown", "document.querySelector('h1')?.textContent === arguments[0]", {label});
}

constexpr const char* renewals = "[...document.querySelectorAll('.history b')].filter(each => each.textContent === 'renew').length";

} // namespace

TEST_CASE("a first verdict shows in the fleet while one looks", "[page]") {
    World& world = World::get();
    Browser& browser = *world.browser;
    world.sign_in("viewer");
    browser.wait_for("the fleet", "document.querySelectorAll('#fleet tbody tr').length === 13");
    const std::string badge = "document.querySelector('#fleet a[href=\"#/platform/" + world.id("porto-02") + "\"]').closest('tr').querySelector('.badge').textContent";
    REQUIRE(browser.value(badge) == "no evidence");
    browser.run("window.same_page = 1");
    REQUIRE(world.attest("porto-02").word() == "affirming");
    browser.wait_for("the verdict", badge + " === 'affirming'");
    browser.wait_for("the sum", "document.querySelector('.tile.good b').textContent === '10'");
    CHECK(browser.value("window.same_page") == 1);
    CHECK(world.console() == "");
}

TEST_CASE("a renewal and a revocation show on the platform's page while one looks", "[page]") {
    World& world = World::get();
    Browser& browser = *world.browser;
    world.sign_in("viewer");
    open_platform(world, "lyon-01");
    browser.wait_for("its history", std::string(renewals) + " === 2");
    REQUIRE(world.attest("lyon-01").word() == "affirming");
    browser.wait_for("two renewals more", std::string(renewals) + " === 4");
    const std::string grant = world.grants("lyon-01")[0]["grant_id"];
    REQUIRE(world.as("operator", "POST", "/v1/grants/" + grant + "/revocation").status == 200);
    browser.wait_for("the revocation", "document.querySelector('#leases .lease.revoked')");
    browser.wait_for("and in the picture", "document.querySelector('svg.chain .node.ending')");
    CHECK(browser.value("window.same_page") == 1);
    world.screenshot("platform-revoked-light-1440");
    CHECK(world.console() == "");
}

TEST_CASE("new rows of the audit trail come in by themselves, when they fit the search", "[page]") {
    World& world = World::get();
    Browser& browser = *world.browser;
    world.sign_in("viewer");
    browser.run("location.hash = '#/audit/rebinding%20' + arguments[0]", {world.id("lyon-02")});
    browser.wait_for("the search", "document.querySelector('#audit-note')?.textContent.startsWith('0 rows')");
    REQUIRE(world.as("operator", "POST", "/v1/platforms/" + world.id("lyon-03") + "/rebinding").status == 200);
    REQUIRE(world.as("operator", "POST", "/v1/platforms/" + world.id("lyon-02") + "/rebinding").status == 200);
    browser.wait_for("the row", "document.querySelectorAll('#audit-rows tr').length === 1");
    CHECK(browser.text("#audit-rows tr").find("allow_rebinding") != std::string::npos);
    CHECK(world.console() == "");
}

TEST_CASE("a page that nobody looks at has no stream, and catches up when it is looked at again", "[page]") {
    World& world = World::get();
    Browser& browser = *world.browser;
    world.sign_in("viewer");
    open_platform(world, "lyon-02");
    browser.wait_for("its history", std::string(renewals) + " === 2");
    const char* look = "Object.defineProperty(document, 'hidden', {value: arguments[0] === 'away', configurable: true});"
                       "document.dispatchEvent(new Event('visibilitychange'));";
    browser.run(look, {"away"});
    REQUIRE(world.attest("lyon-02").word() == "affirming");
    REQUIRE(world.attest("lyon-02").word() == "affirming");
    CHECK(browser.value(renewals) == 2);
    CHECK(browser.value("document.querySelector('#live-state').textContent") == "Live"); // not a trouble of the service
    browser.run(look, {"back"});
    browser.wait_for("the renewals of meanwhile", std::string(renewals) + " === 6");
    CHECK(world.console() == "");
}

TEST_CASE("a service that stops is told from one that is quiet, and nothing is missed when it is back", "[page]") {
    World& world = World::get();
    Browser& browser = *world.browser;
    world.sign_in("viewer");
    open_platform(world, "porto-01");
    browser.wait_for("its history", std::string(renewals) + " === 2");
    CHECK(world.console() == "");
    CHECK(world.stop_service() == 0); // with a stream open
    browser.wait_for("the page says so", "document.querySelector('#live-state').textContent === 'Not live'");
    CHECK(browser.text(".stale").starts_with("The stream of events is down; what you see may be old."));
    world.screenshot("stream-down-light-1440");
    world.start_service();
    REQUIRE(world.attest("porto-01").word() == "affirming"); // perhaps before the page is back
    browser.wait_for("live again", "document.querySelector('#live-state').textContent === 'Live'");
    browser.wait_for("the renewals of meanwhile", std::string(renewals) + " === 4");
    CHECK_FALSE(browser.shown(".stale"));
    (void)world.console(); // refused connections
}
