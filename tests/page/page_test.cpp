// SPDX-License-Identifier: Apache-2.0
// What the page shows, and what it must not do: sign-in, fleet, one platform, why one was refused, the audit trail, hostile text.
#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/page/world.hpp"

using namespace casemate;
using namespace casemate::page;

namespace {

/// The row of the fleet's table with this label.
constexpr const char* row_of = "[...document.querySelectorAll('#fleet tbody tr')].find(row => row.querySelector('a').textContent === arguments[0])";

std::string of_row(const std::string& rest) { return std::string(row_of) + rest; }

void open_platform(World& world, const std::string& label) {
    world.browser->run("location.hash = '#/platform/' + arguments[0]", {world.id(label)});
    world.browser->wait_for("the platform is shown", "document.querySelector('h1')?.textContent === arguments[0]", {label});
}

} // namespace

TEST_CASE("a wrong token is refused with a sentence, and a good one opens the fleet", "[page]") {
    World& world = World::get();
    Browser& browser = *world.browser;
    world.open();
    world.screenshot("sign-in-light-1440");
    browser.type("#token", "not-the-token-of-anybody-at-all");
    browser.click("button[type=submit]");
    browser.wait_for("the refusal", "document.querySelector('.signin .trouble').textContent !== ''");
    CHECK(browser.text(".signin .trouble") == "This call is for the operator.");
    CHECK(browser.value("sessionStorage.length") == 0);
    browser.click(".signin .plain-button"); // by certificate, and there is none
    browser.wait_for("the other refusal", "document.querySelector('.signin .trouble').textContent.startsWith('Your browser')");
    CHECK(world.console("401 403") == "");
    world.sign_in("owner");
    CHECK(browser.text("#user") == "operator \u00b7 owner");
    CHECK(browser.value("localStorage.length + document.cookie.length") == 0);
    browser.click("#sign-out");
    browser.wait_for("the form again", "document.querySelector('#token')");
    CHECK(browser.value("sessionStorage.length") == 0);
    CHECK(world.console() == "");
}

TEST_CASE("the fleet shows each platform with its standing, and can be filtered", "[page]") {
    World& world = World::get();
    Browser& browser = *world.browser;
    world.sign_in("viewer");
    browser.wait_for("the fleet", "document.querySelectorAll('#fleet tbody tr').length === 13");
    const auto word = [&](const char* label) { return browser.value(of_row(".querySelector('.badge').textContent"), {label}); };
    CHECK(word("berlin-01") == "affirming");
    CHECK(word("lyon-04") == "refused");
    CHECK(word("porto-03") == "no evidence");
    CHECK(word("old-lab") == "quarantined");
    CHECK(browser.value("document.querySelector('#fleet tbody tr a').textContent") == "lyon-04"); // what needs a look comes first
    // porto-02 gives its first evidence in another test.
    const std::string sums = browser.value("[...document.querySelectorAll('.tile b')].map(each => each.textContent).join(' ')");
    CHECK((sums == "13 9 1 0 2 1" || sums == "13 10 1 0 1 1"));
    browser.type("#filter", "lyon");
    browser.wait_for("the filter", "document.querySelectorAll('#fleet tbody tr').length === 4");
    browser.click(".tile.good");
    browser.wait_for("both", "document.querySelectorAll('#fleet tbody tr').length === 3");
    CHECK(browser.text("#fleet-note") == "3 of 13 platforms.");
    CHECK(world.console() == "");
}

TEST_CASE("a platform's chain of trust is a picture and the same in words", "[page]") {
    World& world = World::get();
    Browser& browser = *world.browser;
    world.sign_in("operator");
    open_platform(world, "berlin-02");
    browser.wait_for("the picture", "document.querySelectorAll('svg.chain .node').length === 8");
    CHECK(browser.value("[...document.querySelectorAll('svg.chain .node .title')].map(each => each.textContent).join(', ')") ==
          "TPM quote, Secure loader, Hypervisor, Owner's policy, agent, net0, 00:03.0, 00:04.0");
    CHECK(browser.value("document.querySelectorAll('svg.chain .node.good').length") == 8);
    CHECK(browser.value("document.querySelectorAll('.links li.good').length") == 7);
    CHECK(browser.text(".links li:last-child").find("00:03.0 assigned, net0") != std::string::npos);
    CHECK(browser.text("#explanation").starts_with("Passed: everything that was launched equals reference set"));
    CHECK_FALSE(browser.shown("#difference"));
    // Leases run down each second.
    CHECK(browser.value("document.querySelectorAll('#leases tbody tr').length") == 2);
    const std::string before = browser.value("document.querySelector('svg.chain .clock').textContent");
    browser.wait_for("a second passes", "document.querySelector('svg.chain .clock').textContent !== arguments[0]", {before});
    CHECK(browser.text("#leases tbody tr .lease").find(" left of 60 s") != std::string::npos);
    CHECK(world.console() == "");
}

TEST_CASE("of a refused platform the page names the first component that differs", "[page]") {
    World& world = World::get();
    Browser& browser = *world.browser;
    world.sign_in("viewer");
    open_platform(world, "lyon-04");
    browser.wait_for("the difference", "document.querySelector('#difference')");
    CHECK(browser.text("#explanation").starts_with("Refused: the hypervisor is not the accepted one (hypervisor); expected "));
    CHECK(browser.value("document.querySelector('#difference dd').textContent") == "hypervisor");
    const auto value_of = [&](int number) { return browser.value("document.querySelectorAll('#difference dd')[" + std::to_string(number) + "].textContent").get<std::string>(); };
    CHECK(value_of(1).size() == 64);
    CHECK(value_of(2).size() == 64);
    CHECK(value_of(1) != value_of(2));
    CHECK(browser.value("[...document.querySelectorAll('.links li')].map(each => each.className).join(' ')") ==
          "good good good differs good good unknown");
    CHECK(browser.value("document.querySelectorAll('svg.chain .node.differs').length") == 1);
    CHECK(browser.text("main").find("No device is granted.") != std::string::npos);
    CHECK(world.console() == "");
}

TEST_CASE("the audit trail is searched by words, from the newest back", "[page]") {
    World& world = World::get();
    Browser& browser = *world.browser;
    world.sign_in("viewer");
    browser.click("nav a[href='#/audit']");
    browser.wait_for("rows", "document.querySelectorAll('#audit-rows tr').length > 20");
    const auto sequences = browser.value("[...document.querySelectorAll('#audit-rows .number')].map(each => Number(each.textContent))");
    CHECK(std::is_sorted(sequences.rbegin(), sequences.rend()));
    browser.type("#words", "Quarantined " + world.id("old-lab").substr(0, 20) + keys::enter);
    browser.wait_for("one row", "document.querySelectorAll('#audit-rows tr').length === 1");
    CHECK(browser.text("#audit-rows tr").find("2 grants revoked") != std::string::npos);
    CHECK(browser.text("#audit-note") == "1 row, searched to the beginning.");
    browser.run("document.querySelector('#words').value = ''");
    browser.type("#words", std::string("' OR 1=1 --") + keys::enter);
    browser.wait_for("nothing", "document.querySelector('#audit-note').textContent.startsWith('0 rows')");
    CHECK(world.console() == "");
}

TEST_CASE("text from outside stays text", "[page]") {
    World& world = World::get();
    Browser& browser = *world.browser;
    world.sign_in("operator");
    browser.wait_for("the fleet", of_row(""), {hostile_label});
    CHECK(browser.value("document.querySelectorAll('main img, main script').length") == 0);
    open_platform(world, hostile_label);
    browser.wait_for("its leases", "document.querySelector('#leases button')");
    browser.click("#leases button");
    browser.wait_for("the dialog", "document.querySelector('dialog[open]')");
    CHECK(browser.text("dialog .facts").find(hostile_label) != std::string::npos);
    world.screenshot("hostile-label-light-1440");
    CHECK(browser.value("document.querySelectorAll('main img, main script, dialog img, dialog script').length") == 0);
    // Neither in an address: what is no view is the fleet, and words are only words.
    browser.go(world.origin() + "/#/audit/" + "%3Cimg%20src=x%20onerror=window.hostile=1%3E");
    browser.wait_for("the search", "document.querySelector('#words')?.value === '<img src=x onerror=window.hostile=1>'");
    CHECK(browser.value("window.hostile === undefined") == true);
    CHECK(world.console() == "");
}

TEST_CASE("the browser itself refuses what the page's policy forbids", "[page]") {
    World& world = World::get();
    Browser& browser = *world.browser;
    world.sign_in("viewer");
    CHECK(world.console() == "");
    browser.run("try { document.body.insertAdjacentHTML('beforeend', '<b onclick=1></b>'); window.made = 1; } catch { window.made = 0; }");
    CHECK(browser.value("window.made") == 0); // trusted types
    browser.run("const script = document.createElement('link'); script.rel = 'stylesheet'; script.href = 'https://127.0.0.1:1/x.css'; document.head.append(script);");
    browser.wait_for("another origin is refused", "true");
    std::string said;
    for (int i = 0; i < 20 && said.find("Content Security Policy") == std::string::npos; ++i) said += world.console();
    CHECK(said.find("Content Security Policy") != std::string::npos); // and so such a violation would be seen by the other tests
}
