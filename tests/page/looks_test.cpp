// SPDX-License-Identifier: Apache-2.0
// Light and dark, wide and narrow: every view fits, its text stands out, and looks as the screenshots show (CASEMATE_SCREENSHOTS).
#include <catch2/catch.hpp>

#include "tests/page/world.hpp"

using namespace casemate;
using namespace casemate::page;

namespace {

/// The least contrast [WCAG 2.2, 1.4.3] of any text on what is behind it, with the text; washes are opaque here.
constexpr const char* least_contrast = R"js((() => {
  const channel = (value) => { const part = value / 255; return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4; };
  const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = (colour) => { const [r, g, b] = numbers(colour); return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b); };
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = at instanceof SVGElement ? at.querySelector(':scope > rect') && getComputedStyle(at.querySelector(':scope > rect')).fill : getComputedStyle(at).backgroundColor;
      if (colour && colour.startsWith('rgb') && (numbers(colour)[3] ?? 1) === 1) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  let least = [99, ''];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const node = text.parentElement;
    if (text.data.trim() === '' || !node.checkVisibility() || node.closest('.hidden, .skip')) continue;
    const style = getComputedStyle(node);
    const [one, other] = [light(node instanceof SVGElement ? style.fill : style.color), light(behind(node))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < least[0]) least = [contrast, text.data];
  }
  return least;
})())js";

constexpr const char* too_wide = "document.documentElement.scrollWidth > innerWidth";

struct View {
    const char* name;
    std::string address;
    const char* ready;
};

} // namespace

TEST_CASE("every view fits and can be read at 360 and at 1440 pixels, in light and dark", "[page]") {
    World& world = World::get();
    Browser& browser = *world.browser;
    (void)world.attest("berlin-02"); // leases that run
    world.sign_in("operator");
    const View views[] = {
        {"fleet", "#/fleet", "document.querySelectorAll('#fleet tbody tr').length === 13"},
        {"platform", "#/platform/" + world.id("berlin-02"), "document.querySelector('svg.chain .clock') && document.querySelector('h1').textContent === 'berlin-02'"},
        {"refused", "#/platform/" + world.id("lyon-04"), "document.querySelector('#difference')"},
        {"audit", "#/audit", "document.querySelectorAll('#audit-rows tr').length > 20"},
    };
    std::string backgrounds;
    for (const char* scheme : {"light", "dark"})
        for (const int width : {1440, 360}) {
            browser.use_scheme(scheme);
            browser.resize(width, width == 360 ? 800 : 900);
            for (const View& view : views) {
                CAPTURE(scheme, width, view.name);
                browser.run("location.hash = arguments[0]", {view.address});
                browser.wait_for(view.name, view.ready);
                CHECK(browser.value(too_wide) == false);
                const Json contrast = browser.value(least_contrast);
                CAPTURE(contrast.dump());
                CHECK(contrast[0].get<double>() >= 4.5);
                const int height = browser.value("Math.min(4000, document.documentElement.scrollHeight)");
                browser.resize(width, std::max(height, 600));
                world.screenshot(std::string(view.name) + "-" + scheme + "-" + std::to_string(width));
                browser.resize(width, width == 360 ? 800 : 900);
            }
            backgrounds += browser.value("getComputedStyle(document.body).backgroundColor").get<std::string>() + " ";
        }
    CHECK(backgrounds == "rgb(244, 246, 248) rgb(244, 246, 248) rgb(15, 19, 24) rgb(15, 19, 24) ");
    CHECK(world.console() == "");
}

TEST_CASE("no request of the page leaves its origin", "[page]") {
    World& world = World::get();
    world.sign_in("viewer");
    world.browser->wait_for("the fleet", "document.querySelectorAll('#fleet tbody tr').length === 13");
    CHECK(world.elsewhere() == "");
}
