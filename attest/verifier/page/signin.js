// SPDX-License-Identifier: Apache-2.0
// Who is there? An operator's token, or the client certificate that the browser shows.
import { get, keep_token } from "./api.js";
import { el, set_text } from "./dom.js";

/** `on_session(session)` when the service knows the caller; `message`: why one has to sign in again. */
export function sign_in(on_session, message) {
  const trouble = el("p", { class: "trouble", role: "alert", id: "signin-trouble" }, message);
  const field = el("input", {
    id: "token", name: "token", type: "password", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": "signin-trouble token-note",
  });
  const by_token = el("button", { type: "submit", class: "primary" }, "Sign in");
  const by_certificate = el("button", { type: "button", class: "plain-button" }, "Use a client certificate");
  const form = el("form", { class: "card signin", novalidate: true },
    el("img", { src: "/page/icon.svg", alt: "", width: 40, height: 40 }),
    el("h1", {}, "Casemate"),
    el("p", { class: "muted" }, "Which machine launched what, and who holds which device."),
    el("label", { for: "token" }, "Operator's token"),
    field,
    el("p", { class: "note", id: "token-note" }, "Kept in this tab only, until you sign out or close it."),
    trouble,
    by_token,
    el("div", { class: "or" }, "or"),
    by_certificate);

  async function enter(text) {
    set_text(trouble, "");
    by_token.disabled = by_certificate.disabled = true;
    keep_token(text);
    try {
      on_session(await get("/v1/session"));
    } catch (refusal) {
      keep_token("");
      set_text(trouble, text === "" && refusal.code === "token_missing" ? "Your browser showed no client certificate." : refusal.message);
    }
    by_token.disabled = by_certificate.disabled = false;
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value.trim();
    // What no header can carry is no token.
    if (!/^[\x21-\x7e]+$/.test(text)) return set_text(trouble, "Enter the token as you were given it.");
    enter(text);
  });
  by_certificate.addEventListener("click", () => enter(""));
  return { element: el("main", { class: "signin-page" }, form), focus: () => field.focus() };
}
