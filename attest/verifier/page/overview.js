// SPDX-License-Identifier: Apache-2.0
// The fleet in one table: who stands how, since when. Rows change in place, so that neither focus nor order jumps.
import { get } from "./api.js";
import { badge, el, set_text, short_id } from "./dom.js";
import { ago, moment } from "./time.js";
import { standing } from "./words.js";

const most_rows = 200; // drawn at a time
const least_pause = 2000; // from one reading of the whole list to the next

const groups = [
  { id: "all", title: "Platforms", holds: () => true },
  { id: "good", title: "Affirming", holds: (platform) => standing(platform).kind === "good" },
  { id: "bad", title: "Refused", holds: (platform) => standing(platform).kind === "bad" },
  { id: "silent", title: "Silent", holds: (platform) => platform.silent },
  { id: "none", title: "No evidence yet", holds: (platform) => standing(platform).kind === "none" },
  { id: "off", title: "Out of service", holds: (platform) => standing(platform).kind === "off" },
];

const order = { bad: 0, none: 1, good: 2, off: 3 };

function by_need(one, other) {
  const difference = order[standing(one).kind] - order[standing(other).kind];
  if (difference !== 0) return difference;
  return one.label.localeCompare(other.label) || (one.platform_id < other.platform_id ? -1 : 1);
}

class Row {
  constructor(platform) {
    this.standing = el("td", { "data-label": "Verdict" });
    this.age = el("time", {});
    this.link = el("a", { href: `#/platform/${platform.platform_id}` });
    this.element = el("tr", {},
      el("th", { scope: "row", "data-label": "Platform" }, this.link),
      el("td", { "data-label": "Id", class: "muted" }, short_id(platform.platform_id, 16)),
      this.standing,
      el("td", { "data-label": "Last affirmed" }, this.age),
      el("td", { "data-label": "Identity", class: "minor" }, platform.ek_certified ? "EK certificate" : "owner's approval"),
      el("td", { "data-label": "Enrolled", class: "minor" }, moment(platform.enrolled_at)));
    this.show(platform);
  }

  show(platform) {
    this.platform = platform;
    set_text(this.link, platform.label || "unnamed");
    const { kind, word } = standing(platform);
    if (this.word !== word) this.standing.replaceChildren(badge(kind, word));
    this.word = word;
    this.tick();
  }

  tick() {
    set_text(this.age, ago(this.platform.last_attested_at));
    this.age.setAttribute("title", moment(this.platform.last_attested_at));
    this.element.classList.toggle("late", this.platform.silent);
  }
}

class FleetView {
  constructor(here) {
    this.here = here;
    this.title = "Fleet";
    this.platforms = new Map();
    this.rows = new Map();
    this.group = groups[0];
    this.read_at = 0;
    this.build();
  }

  build() {
    this.tiles = groups.map((group) => {
      const count = el("b", {}, "0");
      const button = el("button", { type: "button", class: `tile ${group.id}`, "aria-pressed": "false", on: { click: () => this.choose(group) } },
        count, el("span", {}, group.title));
      return { group, count, button };
    });
    this.filter = el("input", { id: "filter", type: "search", placeholder: "Label or id", spellcheck: "false", on: { input: () => this.draw() } });
    this.body = el("tbody", {});
    this.note = el("p", { class: "note", role: "status", id: "fleet-note" }, "Reading the fleet\u2026");
    this.element = el("div", { class: "view" },
      el("div", { class: "head" }, el("h1", {}, "Fleet"),
        el("div", { class: "search" }, el("label", { for: "filter" }, "Filter"), this.filter)),
      el("div", { class: "tiles", role: "group", "aria-label": "Show" }, this.tiles.map((tile) => tile.button)),
      el("div", { class: "card table" },
        el("table", { id: "fleet" },
          el("thead", {}, el("tr", {}, ["Platform", "Id", "Verdict", "Last affirmed", "Identity", "Enrolled"].map((word) => el("th", { scope: "col" }, word)))),
          this.body)),
      this.note);
  }

  async load() {
    this.read_at = Date.now();
    try {
      const { platforms } = await get("/v1/platforms");
      this.platforms = new Map(platforms.map((platform) => [platform.platform_id, platform]));
      for (const platform of platforms) this.rows.get(platform.platform_id)?.show(platform);
      this.draw();
    } catch (refusal) {
      this.here.refused(refusal);
      set_text(this.note, refusal.message);
    }
  }

  choose(group) {
    this.group = group;
    this.draw();
  }

  draw() {
    const text = this.filter.value.trim().toLowerCase();
    const fits = (platform) => this.group.holds(platform) &&
      (text === "" || platform.label.toLowerCase().includes(text) || platform.platform_id.startsWith(text));
    const shown = [...this.platforms.values()].filter(fits).sort(by_need);
    const focused = this.body.contains(document.activeElement) ? document.activeElement : null;
    this.body.replaceChildren(...shown.slice(0, most_rows).map((platform) => this.row_of(platform).element));
    if (focused?.isConnected) focused.focus({ preventScroll: true });
    this.count();
    const words = shown.length > most_rows ? `The first ${most_rows} of ${shown.length}: filter for the rest.` : `${shown.length} of ${this.platforms.size} platforms.`;
    set_text(this.note, this.platforms.size === 0 ? "No platform has enrolled yet." : words);
  }

  row_of(platform) {
    const known = this.rows.get(platform.platform_id);
    if (known) return known;
    const row = new Row(platform);
    this.rows.set(platform.platform_id, row);
    return row;
  }

  count() {
    const all = [...this.platforms.values()];
    for (const { group, count, button } of this.tiles) {
      set_text(count, String(all.filter(group.holds).length));
      button.setAttribute("aria-pressed", String(group === this.group));
    }
  }

  /** A verdict says all that a row needs; for anything else about platforms the list is read again. */
  row(event) {
    const platform = this.platforms.get(event.actor);
    if (event.action === "verdict" && platform) return this.judged(platform, event);
    if (event.action === "grant" || event.action === "renew" || event.action === "reissue") return;
    if (this.again) return;
    this.again = setTimeout(() => {
      this.again = undefined;
      this.load();
    }, Math.max(300, this.read_at + least_pause - Date.now()));
  }

  judged(platform, event) {
    platform.last_verdict = event.outcome;
    if (event.outcome === "affirming") {
      platform.last_attested_at = event.at;
      platform.silent = false;
    }
    this.rows.get(platform.platform_id)?.show(platform);
    this.counting ??= setTimeout(() => {
      this.counting = undefined;
      this.count();
    }, 500);
  }

  tick() {
    for (const row of this.rows.values()) if (row.element.isConnected) row.tick();
  }

  close() {
    clearTimeout(this.again);
    clearTimeout(this.counting);
  }
}

export const fleet_view = (here) => new FleetView(here);
