// SPDX-License-Identifier: Apache-2.0
// One platform: what its newest evidence proves, in a picture and in words, why it was refused, and its leases as they run out.
import { call, get } from "./api.js";
import { ChainPicture } from "./chain.js";
import { confirm } from "./dialog.js";
import { badge, el, set_text, short_id, with_short_ids } from "./dom.js";
import { ago, lease_left, moment, service_now, service_says, span } from "./time.js";
import { device_name, link_sentence, link_titles, standing, status_signs } from "./words.js";

const shown_after_end = 10 * 60_000; // milliseconds that an ended lease is still listed
const least_pause = 500;

const may_revoke = (session) => session.role !== "viewer";

class LeaseRow {
  constructor(grant, vm_name, revoke) {
    this.grant = grant;
    this.left = el("td", { "data-label": "Lease", class: "lease" });
    const button = revoke && grant.revoked_at === 0
      ? el("button", { type: "button", class: "danger-outline small", "data-grant": grant.grant_id, "aria-label": `Revoke ${device_name(grant.device)}`, on: { click: () => revoke(grant) } }, "Revoke")
      : null;
    this.button = button;
    this.element = el("tr", {},
      el("th", { scope: "row", "data-label": "Device", class: "mono" }, device_name(grant.device)),
      el("td", { "data-label": "VM" }, vm_name),
      this.left,
      el("td", { "data-label": "Issued" }, moment(grant.issued_at)),
      el("td", { "data-label": "Grant" }, short_id(grant.grant_id)),
      el("td", { class: "action" }, button));
    this.tick();
  }

  tick() {
    const left = lease_left(this.grant);
    const over = left <= 0;
    if (this.button) this.button.hidden = over;
    let text = over ? `ended ${span(-left)} ago` : `${span(left)} left of ${this.grant.lease_seconds} s`;
    if (this.grant.revoked_at !== 0) text = over ? "revoked, ended" : `revoked; ends in ${span(left)} at the latest`;
    set_text(this.left, text);
    this.left.className = `lease ${over ? "over" : this.grant.revoked_at !== 0 ? "revoked" : ""}`;
  }
}

function section(title, ...children) {
  return el("section", { class: "card" }, el("h2", {}, title), children);
}

class PlatformView {
  constructor(id, here) {
    this.id = id;
    this.here = here;
    this.title = id.slice(0, 12);
    this.asked = 0;
    this.leases = [];
    this.picture = new ChainPicture();
    this.build();
  }

  build() {
    this.name = el("h1", {}, "Platform");
    this.standing = el("div", { class: "standing" });
    this.age = el("span", { class: "muted" });
    this.origin = el("p", { class: "note" });
    this.verdict = section("Verdict");
    this.words = el("ol", { class: "links", id: "chain-words" });
    this.lease_body = el("tbody", {});
    this.lease_table = el("div", { class: "table" });
    this.lease_note = el("p", { class: "note" });
    this.history = el("ol", { class: "history" });
    this.message = el("p", { class: "trouble", role: "alert" });
    this.done = el("p", { class: "done", role: "status" });
    const heads = ["Device", "VM", "Lease", "Issued", "Grant"].map((word) => el("th", { scope: "col" }, word));
    this.lease_table.append(el("table", { id: "leases" },
      el("thead", {}, el("tr", {}, heads, el("th", { scope: "col" }, el("span", { class: "hidden" }, "Action")))), this.lease_body));
    this.element = el("div", { class: "view" },
      el("p", { class: "crumb" }, el("a", { href: "#/fleet" }, "\u2190 Fleet")),
      el("div", { class: "head" }, el("div", {}, this.name, el("p", { class: "mono id" }, this.id), this.origin), this.standing),
      this.message, this.done,
      this.verdict,
      section("Chain of trust", this.picture.element, this.words),
      section("Leases",
        this.lease_table, this.lease_note),
      section("Newest decisions", this.history, el("p", {}, el("a", { href: `#/audit/${this.id}` }, "All of this platform in the audit trail"))));
  }

  async load() {
    const turn = ++this.asked; // an older answer, or one for a view that is gone, is not shown
    try {
      const [detail, chain, trail] = await Promise.all([
        get(`/v1/platforms/${this.id}/detail`), get(`/v1/platforms/${this.id}/chain`),
        call("POST", "/v1/audit/search", { words: this.id, limit: 12 })]);
      if (turn !== this.asked) return;
      this.grant_ids = new Set(detail.grants.map((grant) => grant.grant_id));
      service_says(chain.now);
      this.show(detail, chain, trail.audit);
    } catch (refusal) {
      this.here.refused(refusal);
      set_text(this.message, refusal.message);
    }
  }

  show(detail, chain, trail) {
    set_text(this.message, "");
    set_text(this.name, detail.label || "Unnamed platform");
    document.title = `${detail.label || this.title} \u00b7 Casemate`;
    this.detail = detail;
    set_text(this.origin, `Enrolled ${moment(detail.enrolled_at)} with ${detail.ek_certified ? "an EK certificate" : "an owner's approval"}; PCR banks ${detail.banks.replaceAll(",", ", ")}.`);
    const { kind, word } = standing(detail);
    this.standing.replaceChildren(badge(kind, word), this.age);
    this.show_verdict(chain);
    this.show_leases(detail, chain);
    this.show_words(chain);
    this.history.replaceChildren(...trail.map((row) => el("li", {},
      el("time", { title: moment(row.at) }, moment(row.at)), el("b", {}, row.action), el("span", {}, row.outcome),
      el("span", { class: "muted detail" }, with_short_ids(row.actor === this.id ? row.detail : [`by ${row.actor}`, row.detail].filter(Boolean).join(": "))))));
    this.tick();
  }

  show_verdict(chain) {
    const parts = [el("h2", {}, "Verdict"), el("p", { class: "explanation", id: "explanation" }, with_short_ids(chain.explanation))];
    if (chain.first) parts.push(el("dl", { class: "difference", id: "difference" },
      el("dt", {}, "First that differs"), el("dd", {}, chain.first.component),
      el("dt", {}, "Expected"), el("dd", { class: "mono" }, chain.first.expected || "\u2013"),
      el("dt", {}, "Seen"), el("dd", { class: "mono" }, chain.first.seen || "\u2013")));
    const more = chain.first ? chain.reasons.slice(1) : chain.reasons;
    if (more.length > 0) parts.push(el("details", {}, el("summary", {}, chain.first ? `${more.length} more` : `Not granted or renewed: ${more.length}`),
      el("ul", {}, more.map((reason) => el("li", {}, el("b", { class: "mono" }, reason.code), ` ${reason.detail}`)))));
    if (chain.at !== 0) parts.push(el("p", { class: "note" }, `Evidence of ${moment(chain.at)}, result ${chain.result_id}.`));
    this.verdict.className = `card verdict ${chain.verdict === "affirming" ? "good" : chain.verdict === "" ? "none" : "bad"}`;
    this.verdict.replaceChildren(...parts);
  }

  show_leases(detail, chain) {
    const names = new Map(chain.vms.map((vm) => [vm.vm_id, vm.name]));
    const recent = detail.grants.filter((grant) => lease_left(grant) > -shown_after_end).reverse();
    const focused = document.activeElement?.dataset?.grant;
    const revoke = may_revoke(this.here.session) ? (grant) => this.revoke(grant, names) : null;
    this.leases = recent.map((grant) => new LeaseRow(grant, names.get(grant.vm_id) ?? short_id(grant.vm_id), revoke));
    this.lease_body.replaceChildren(...this.leases.map((row) => row.element));
    if (focused) this.lease_body.querySelector(`[data-grant="${focused}"]`)?.focus();
    this.lease_table.hidden = recent.length === 0;
    const older = detail.grants.length - recent.length;
    set_text(this.lease_note, recent.length === 0 ? "No device is granted." : older > 0 ? `${older} older grants are not shown.` : "");
    const running = recent.filter((grant) => lease_left(grant) > 0).map((grant) => [grant.device, { ...grant, left: () => lease_left(grant) }]);
    this.picture.show(chain, new Map(running.reverse()));
  }

  show_words(chain) {
    const names = new Map(chain.vms.map((vm) => [vm.vm_id, vm.name]));
    const digests = chain.launch ?? {};
    const extra = {
      launch: digests.slb, hypervisor: digests.hypervisor, policy: digests.policy,
      vms: chain.vms.map((vm) => `${vm.name} ${vm.status === "good" ? "" : `(${vm.status}) `}${vm.running === undefined ? "" : vm.running ? "runs" : "does not run"}`.trim()).join(", "),
      custody: chain.devices.map((device) => `${device_name(device.device)} ${device.state}${device.holder ? `, ${names.get(device.holder) ?? "a VM"}` : ""}`).join("; "),
    };
    this.words.replaceChildren(...chain.links.map((link) => el("li", { class: link.status },
      el("span", { class: "sign", "aria-hidden": "true" }, status_signs[link.status]),
      el("b", {}, link_titles[link.name]), el("span", {}, link_sentence(link)),
      extra[link.name] ? el("span", { class: /^[0-9a-f]{64}$/.test(extra[link.name]) ? "mono extra" : "extra" }, extra[link.name]) : null)));
  }

  async revoke(grant, names) {
    const done = await confirm({
      title: `Revoke ${device_name(grant.device)}?`,
      text: "The platform takes the device back when it asks for orders next, at the latest when the lease ends, and the VM gets it again only after a release.",
      facts: [["Device", device_name(grant.device)], ["VM", names.get(grant.vm_id) ?? grant.vm_id.slice(0, 12)], ["Platform", this.detail.label || this.title],
        ["Grant", el("span", { class: "mono" }, grant.grant_id)]],
      verb: "Revoke the grant",
      action: () => call("POST", `/v1/grants/${grant.grant_id}/revocation`, {}),
    });
    await this.load();
    if (!done) return;
    set_text(this.done, `${device_name(grant.device)} is revoked.`);
    if (!document.activeElement || document.activeElement === document.body) document.getElementById("content").focus();
  }

  /** Everything that names this platform or one of its grants. */
  row(event) {
    const mine = event.actor === this.id || event.object === this.id || this.grant_ids?.has(event.object);
    if (!mine || this.again) return;
    this.again = setTimeout(() => {
      this.again = undefined;
      this.load();
    }, least_pause);
  }

  tick() {
    for (const row of this.leases) row.tick();
    this.picture.tick();
    if (!this.detail) return;
    const at = this.detail.last_attested_at;
    set_text(this.age, at === 0 ? "never affirmed" : `last affirmed ${ago(at)}`);
  }

  close() {
    ++this.asked;
    clearTimeout(this.again);
    this.picture.close();
  }
}

export const platform_view = (id, here) => new PlatformView(id, here);
