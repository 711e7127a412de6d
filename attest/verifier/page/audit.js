// SPDX-License-Identifier: Apache-2.0
// The audit trail, newest first: search, and what comes in while one looks.
import { call } from "./api.js";
import { el, set_text, short_id, with_short_ids } from "./dom.js";
import { moment } from "./time.js";

const most_rows = 1000; // kept on the page

/** Whose object is a platform; that of others is a grant, a challenge, a reference set, a token. */
const about_platforms = new Set(["activate", "allow_rebinding", "approve", "dry_run", "list", "quarantined", "reinstate", "retired", "unlist"]);

function named(text, is_platform) {
  return is_platform && /^[0-9a-f]{64}$/.test(text) ? el("a", { href: `#/platform/${text}` }, short_id(text)) : with_short_ids(text);
}

function row_element(row) {
  const outcome = row.outcome === "contraindicated" || row.outcome === "refused" ? "bad-text" : "";
  return el("tr", {},
    el("td", { "data-label": "Row", class: "number" }, String(row.sequence)),
    el("td", { "data-label": "Time", class: "time" }, moment(row.at)),
    el("td", { "data-label": "Who", class: "who-did" }, named(row.actor, true)),
    el("td", { "data-label": "Action" }, row.action),
    el("td", { "data-label": "What", class: "what" }, named(row.object, about_platforms.has(row.action))),
    el("td", { "data-label": "Outcome", class: outcome }, row.outcome),
    el("td", { "data-label": "Detail", class: "detail" }, with_short_ids(row.detail)));
}

class AuditView {
  constructor(words, here) {
    this.here = here;
    this.title = "Audit trail";
    this.words = words;
    this.asked = 0;
    this.build();
  }

  build() {
    this.field = el("input", { id: "words", type: "search", value: this.words, spellcheck: "false", maxlength: 128, placeholder: "Words that must all occur" });
    this.body = el("tbody", { id: "audit-rows" });
    this.note = el("p", { class: "note", role: "status", id: "audit-note" });
    this.older = el("button", { type: "button", class: "plain-button", hidden: true, on: { click: () => this.read(this.next_before) } }, "Search older rows");
    const form = el("form", { class: "search", role: "search", on: { submit: (event) => this.submit(event) } },
      el("label", { for: "words" }, "Search"), this.field, el("button", { type: "submit", class: "primary" }, "Search"));
    const heads = ["Row", "Time", "Who", "Action", "What", "Outcome", "Detail"].map((word) => el("th", { scope: "col" }, word));
    this.element = el("div", { class: "view" },
      el("div", { class: "head" }, el("h1", {}, "Audit trail"), form),
      el("div", { class: "card table" }, el("table", { id: "audit" }, el("thead", {}, el("tr", {}, heads)), this.body)),
      el("div", { class: "foot" }, this.note, this.older));
  }

  submit(event) {
    event.preventDefault();
    this.words = this.field.value.trim();
    history.replaceState(null, "", `#/audit/${encodeURIComponent(this.words)}`);
    this.load();
  }

  load() {
    this.body.replaceChildren();
    return this.read(undefined);
  }

  async read(before) {
    const turn = ++this.asked; // an answer to an older question is not shown
    try {
      const query = { words: this.words, limit: 100 };
      if (before) query.before = before;
      const { audit, next_before } = await call("POST", "/v1/audit/search", query);
      if (turn !== this.asked) return;
      this.body.append(...audit.map(row_element));
      this.newest = Math.max(this.newest ?? 0, audit[0]?.sequence ?? 0);
      this.next_before = next_before;
      this.say();
    } catch (refusal) {
      this.here.refused(refusal);
      set_text(this.note, refusal.message);
    }
  }

  say() {
    const count = this.body.children.length;
    this.older.hidden = this.next_before === 0;
    set_text(this.note, `${count} ${count === 1 ? "row" : "rows"}${this.next_before === 0 ? ", searched to the beginning." : "; there are older ones."}`);
  }

  row(event) {
    const text = [event.actor, event.action, event.object, event.outcome, event.detail].join("\n").toLowerCase();
    const fits = this.words.toLowerCase().split(" ").every((word) => text.includes(word));
    if (!fits || this.next_before === undefined || event.sequence <= this.newest) return;
    this.newest = event.sequence;
    this.body.prepend(row_element(event));
    while (this.body.children.length > most_rows) {
      this.next_before = Number(this.body.lastChild.firstChild.textContent) + 1; // it and what is older can be read again
      this.body.lastChild.remove();
    }
    this.say();
  }

  tick() {}
  close() {
    ++this.asked;
  }
}

export const audit_view = (words, here) => new AuditView(words, here);
