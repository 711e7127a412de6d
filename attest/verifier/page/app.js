// SPDX-License-Identifier: Apache-2.0
// The page: signs in, shows the view that the address names, and hands it what the stream of events brings. A view is an object with
// `element`, `title`, load(), row(event), tick() each second, and close().
import { get, keep_token, token } from "./api.js";
import { audit_view } from "./audit.js";
import { el, set_text } from "./dom.js";
import { Live } from "./events.js";
import { fleet_view } from "./overview.js";
import { platform_view } from "./platform.js";
import { sign_in } from "./signin.js";
import { service_says, span } from "./time.js";

let view = null;
let live = null;
let frame = null; // what stays while views change
let down_since = 0;

function show_sign_in(message) {
  live?.stop();
  live = view = frame = null;
  keep_token("");
  const page = sign_in(start, message);
  document.title = "Sign in \u00b7 Casemate";
  document.body.replaceChildren(page.element);
  page.focus();
}

function nav_link(address, text) {
  return el("a", { href: address }, text);
}

function make_frame(session) {
  const state = el("span", { class: "live", role: "status", id: "live-state" }, "connecting");
  const warning = el("p", { class: "stale", role: "alert", hidden: true });
  const outlet = el("main", { id: "content", tabindex: "-1" });
  const skip = el("button", { type: "button", class: "skip", on: { click: () => outlet.focus() } }, "Skip to content");
  const nav = el("nav", { "aria-label": "Pages" }, nav_link("#/fleet", "Fleet"), nav_link("#/audit", "Audit trail"));
  const header = el("header", { class: "bar" },
    el("a", { class: "brand", href: "#/fleet" }, el("img", { src: "/page/icon.svg", alt: "", width: 24, height: 24 }), "Casemate"),
    nav,
    el("div", { class: "who" }, state,
      el("span", { class: "user", id: "user" }, el("b", {}, session.name), ` \u00b7 ${session.role}`),
      el("button", { type: "button", class: "plain-button small", id: "sign-out", on: { click: () => show_sign_in("") } }, "Sign out")));
  document.body.replaceChildren(skip, header, warning, outlet);
  return { state, warning, outlet, nav, session };
}

function show_live(up) {
  if (!frame) return;
  if (up) down_since = 0;
  else if (down_since === 0) down_since = Date.now();
  frame.state.className = up ? "live up" : "live down";
  set_text(frame.state, up ? "Live" : "Not live");
  frame.warning.hidden = up;
  say_down();
}

/** Not said again by a screen reader each second: the time stands beside the sentence. */
function say_down() {
  if (down_since === 0 || !frame) return;
  const since = frame.warning.querySelector(".since") ?? el("span", { class: "since", "aria-hidden": "true" });
  if (!since.isConnected)
    frame.warning.replaceChildren("The stream of events is down; what you see may be old. Trying again. ", since);
  set_text(since, `(${span(Date.now() - down_since)})`);
}

/** Nothing of an address that is broken. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

async function open_view() {
  if (!frame) return;
  const [, name, argument] = location.hash.split("/");
  view?.close();
  const here = { session: frame.session, refused };
  if (name === "platform" && /^[0-9a-f]{64}$/.test(argument ?? "")) view = platform_view(argument, here);
  else if (name === "audit") view = audit_view(decoded(argument ?? ""), here);
  else view = fleet_view(here);
  for (const link of frame.nav.children)
    link.toggleAttribute("data-current", link.getAttribute("href") === (name === "audit" ? "#/audit" : "#/fleet"));
  document.title = `${view.title} \u00b7 Casemate`;
  frame.outlet.replaceChildren(view.element);
  frame.outlet.focus({ preventScroll: true });
  window.scrollTo(0, 0);
  await view.load();
}

/** Every view's refusals that it does not explain itself. */
function refused(refusal) {
  if (refusal.ends_session) show_sign_in(refusal.message);
}

function start(session) {
  service_says(session.now);
  frame = make_frame(session);
  live = new Live({
    on_row: (row) => view?.row(row),
    on_state: show_live,
    on_gap: () => view?.load(),
    on_end: (refusal) => show_sign_in(refusal.message),
  });
  live.run();
  open_view();
}

window.addEventListener("hashchange", open_view);
document.addEventListener("visibilitychange", () => (document.hidden ? live?.rest() : live?.wake()));
setInterval(() => {
  view?.tick();
  say_down();
}, 1000);

/** After a reload: the token is still here, and a service that is not is waited for. */
async function resume() {
  try {
    start(await get("/v1/session"));
  } catch (refusal) {
    if (refusal.ends_session) return show_sign_in(refusal.message);
    document.body.replaceChildren(el("p", { class: "plain", role: "alert" }, `${refusal.message} Trying again.`));
    setTimeout(resume, 2000);
  }
}

if (token() === "") show_sign_in("");
else resume();
