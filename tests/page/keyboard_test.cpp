// SPDX-License-Identifier: Apache-2.0
// The page without a mouse: from the sign-in to a revocation by keys alone, where the focus is and that it can be seen.
#include <catch2/catch.hpp>

#include "tests/page/world.hpp"

using namespace casemate;
using namespace casemate::page;

namespace {

constexpr const char* focus_is_seen = "getComputedStyle(document.activeElement).outlineStyle === 'solid' && parseFloat(getComputedStyle(document.activeElement).outlineWidth) >= 2";

} // namespace

TEST_CASE("an operator revokes a grant by keyboard alone", "[page]") {
    World& world = World::get();
    Browser& browser = *world.browser;
    world.open(); // the token's field has the focus
    browser.press(world.token("operator") + keys::enter);
    browser.wait_for("the fleet", "document.querySelectorAll('#fleet tbody tr').length === 13");

    browser.press(keys::tab);
    CHECK(browser.value("document.activeElement.id") == "filter"); // the focus began at the content
    CHECK(browser.value(focus_is_seen) == true);
    browser.press("berlin-03");
    browser.wait_for("the filter", "document.querySelectorAll('#fleet tbody tr').length === 1");
    browser.tab_to("#fleet tbody a");
    CHECK(browser.value(focus_is_seen) == true);
    browser.press(keys::enter);
    browser.wait_for("the platform", "document.querySelectorAll('#leases button').length === 2");
    browser.tab_to("#leases button");
    CHECK(browser.value(focus_is_seen) == true);
    const std::string grant = browser.value("document.activeElement.dataset.grant");

    browser.press(keys::enter);
    browser.wait_for("the dialog", "document.querySelector('dialog[open]')");
    CHECK(browser.value("document.activeElement.textContent") == "Cancel"); // the harmless answer
    for (int i = 0; i < 5; ++i) {
        browser.press(keys::tab);
        CHECK(browser.value("document.activeElement === document.body || document.activeElement.closest('dialog') !== null") == true);
    }
    world.screenshot("revoke-dialog-light-1440");
    browser.press(keys::escape);
    browser.wait_for("no dialog", "!document.querySelector('dialog')");
    browser.wait_for("the focus is back", "document.activeElement.dataset.grant === arguments[0]", {grant});
    CHECK(world.grants("berlin-03")[0]["revoked_at"] == 0);

    browser.press(keys::enter);
    browser.wait_for("the dialog again", "document.querySelector('dialog[open]')");
    browser.tab_to("dialog .danger");
    CHECK(browser.value(focus_is_seen) == true);
    browser.press(keys::enter);
    browser.wait_for("it is done", "document.querySelector('.done').textContent.endsWith('is revoked.')");
    browser.wait_for("the lease says so", "document.querySelector('#leases .lease.revoked')?.textContent.startsWith('revoked; ends in')");
    CHECK(browser.value("document.activeElement !== document.body") == true);
    int revoked = 0;
    for (const Json& each : world.grants("berlin-03")) revoked += each["revoked_at"] != 0 && each["grant_id"] == grant ? 1 : 0;
    CHECK(revoked == 1);
    CHECK(world.console() == "");
}

TEST_CASE("a viewer has no button that revokes, and the service would refuse it", "[page]") {
    World& world = World::get();
    Browser& browser = *world.browser;
    world.sign_in("viewer");
    browser.run("location.hash = '#/platform/' + arguments[0]", {world.id("berlin-01")});
    browser.wait_for("its leases", "document.querySelectorAll('#leases tbody tr').length === 2");
    CHECK(browser.value("document.querySelectorAll('#leases button').length") == 0);
    const std::string grant = world.grants("berlin-01")[0]["grant_id"];
    browser.run("fetch('/v1/grants/' + arguments[0] + '/revocation', {method: 'POST', headers: {Authorization: 'Bearer ' + arguments[1]}})"
                ".then(answer => answer.json()).then(body => window.refusal = body.error.code)", {grant, world.token("viewer")});
    browser.wait_for("the refusal", "window.refusal");
    CHECK(browser.value("window.refusal") == "role");
    CHECK(world.grants("berlin-01")[0]["revoked_at"] == 0);
    CHECK(world.console("403") == "");
}

TEST_CASE("what the service refuses is told in the dialog as a sentence", "[page]") {
    World& world = World::get();
    Browser& browser = *world.browser;
    world.sign_in("operator");
    browser.run("location.hash = '#/platform/' + arguments[0]", {world.id("berlin-04")});
    browser.wait_for("its leases", "document.querySelectorAll('#leases button').length === 2");
    const std::string grant = browser.value("document.querySelector('#leases button').dataset.grant");
    browser.click("#leases button");
    browser.wait_for("the dialog", "document.querySelector('dialog[open]')");
    CHECK(world.as("operator", "POST", "/v1/grants/" + grant + "/revocation").status == 200); // somebody was faster
    browser.click("dialog .danger");
    browser.wait_for("the refusal", "document.querySelector('dialog .trouble').textContent !== ''");
    CHECK(browser.text("dialog .trouble") == "This grant was revoked before.");
    browser.press(keys::escape);
    browser.wait_for("no dialog", "!document.querySelector('dialog')");
    CHECK(world.console("409") == "");
}
