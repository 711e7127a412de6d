// SPDX-License-Identifier: Apache-2.0
// The chain of trust as a picture: quote -> launch -> hypervisor -> policy -> VMs -> devices. Across where there is room, downwards where
// there is not. The same is told in words beside it (platform.js), so the picture is one image to a screen reader.
import { svg } from "./dom.js";
import { span } from "./time.js";
import { device_name, link_titles, status_signs, status_words } from "./words.js";

const narrow_below = 760;
const gap = 34;
const step = 14; // between nodes above each other
const tall = 58;

/** What is drawn: links, then VMs, then devices with the lease that runs. `leases` by device. */
function nodes_of(chain, leases) {
  const status = Object.fromEntries(chain.links.map((link) => [link.name, link.status]));
  const worst = (...names) => names.map((name) => status[name]).find((each) => each !== "good") ?? "good";
  const trunk = [
    { title: link_titles.quote, status: worst("quote", "log"), note: worst("quote", "log") === "good" ? "signed, log replays" : status_words[worst("quote", "log")] },
    ...["launch", "hypervisor", "policy"].map((name) => ({ title: link_titles[name], status: status[name], note: status_words[status[name]] })),
  ];
  carry_doubt(trunk);
  trunk[3].note = chain.launch ? `epoch ${chain.launch.policy_epoch} \u00b7 ${trunk[3].note}` : trunk[3].note;
  const vms = chain.vms.map((vm) => ({
    id: vm.vm_id, title: vm.name, status: vm.status,
    note: vm.running === undefined ? status_words[vm.status] : vm.running ? "running" : "not running",
  }));
  return { trunk, vms, devices: devices_of(chain, leases) };
}

/** A link after one that does not hold hangs in the air, as good as it may be itself: `via` is the line that leads to it. */
function carry_doubt(trunk) {
  let sound = true;
  for (const item of trunk) {
    item.via = !sound ? "unknown" : item.status;
    sound = sound && item.status === "good";
  }
  trunk.sound = sound;
}

/** Without an affirming verdict the ledger's word counts for nothing: devices are those with a lease that still runs. */
function devices_of(chain, leases) {
  const known = new Map(chain.devices.map((device) => [device.device, device]));
  for (const [device, grant] of leases) if (!known.has(device)) known.set(device, { device, state: "lease running out", may_hold: [], holder: grant.vm_id });
  return [...known.values()].map((device) => {
    const grant = leases.get(device.device);
    return {
      name: device.device, title: device_name(device.device), note: grant?.revoked_at ? "revoked" : device.state, grant,
      holder: device.holder ?? grant?.vm_id, may_hold: device.may_hold, status: device.state === "assigned" ? "good" : "unknown",
    };
  });
}

function node(x, y, width, item, kind) {
  const group = svg("g", { class: `node ${kind} ${item.status}`, transform: `translate(${x} ${y})` },
    svg("rect", { width, height: tall, rx: 7 }),
    svg("text", { class: "title", x: 12, y: 23 }, cut(item.title, width - 36)),
    svg("text", { class: "note", x: 12, y: 40 }, cut(item.note, width - (item.grant ? 76 : 20))));
  if (kind !== "device") group.append(svg("text", { class: "sign", x: width - 12, y: 23, "text-anchor": "end" }, status_signs[item.status]));
  return group;
}

/** SVG has no ellipsis: letters are some 7 units wide here. */
function cut(text, width) {
  const most = Math.max(4, Math.floor(width / 7));
  return text.length > most ? text.slice(0, most - 1) + "\u2026" : text;
}

function line(from, to, kind) {
  const middle = (from.x + to.x) / 2;
  const path = from.down ? `M${from.x} ${from.y}V${to.y}H${to.x}` : `M${from.x} ${from.y}C${middle} ${from.y} ${middle} ${to.y} ${to.x} ${to.y}`;
  return svg("path", { class: `line ${kind}`, d: path });
}

export class ChainPicture {
  constructor() {
    this.element = svg("svg", { class: "chain", role: "img", "aria-label": "Chain of trust, told in words beside", "aria-describedby": "chain-words" });
    this.clocks = [];
    this.observer = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry.contentRect.width);
      if (width === this.width) return;
      this.width = width;
      this.draw();
    });
    this.observer.observe(this.element);
  }

  close() {
    this.observer.disconnect();
  }

  show(chain, leases) {
    this.items = nodes_of(chain, leases);
    this.draw();
  }

  draw() {
    if (!this.items || !this.width) return;
    this.clocks = [];
    const drawn = this.width < narrow_below ? this.downwards() : this.across();
    this.element.setAttribute("viewBox", `0 0 ${this.width} ${drawn.height}`);
    this.element.setAttribute("height", drawn.height);
    this.element.replaceChildren(...drawn.lines, ...drawn.nodes);
    this.tick();
  }

  across() {
    const { trunk, vms, devices } = this.items;
    const columns = trunk.length + (vms.length > 0 ? 1 : 0) + (devices.length > 0 ? 1 : 0);
    const width = Math.min(210, Math.floor((this.width - 2 - gap * (columns - 1)) / columns));
    const rows = Math.max(1, vms.length, devices.length);
    const height = rows * tall + (rows - 1) * step + 4;
    const x = (column) => 1 + column * (width + gap);
    const y = (index, count) => 2 + (height - 4 - (count * tall + (count - 1) * step)) / 2 + index * (tall + step);
    const nodes = [], lines = [];
    const right = (column, at) => ({ x: x(column) + width, y: at + tall / 2 });
    const left = (column, at) => ({ x: x(column), y: at + tall / 2 });
    trunk.forEach((item, i) => {
      nodes.push(node(x(i), y(0, 1), width, item, "link"));
      if (i > 0) lines.push(line(right(i - 1, y(0, 1)), left(i, y(0, 1)), item.via));
    });
    const place = new Map();
    vms.forEach((vm, i) => {
      place.set(vm.id, y(i, vms.length));
      nodes.push(node(x(4), place.get(vm.id), width, vm, "vm"));
      lines.push(line(right(3, y(0, 1)), left(4, place.get(vm.id)), trunk.sound ? vm.status : "unknown"));
    });
    devices.forEach((device, i) => {
      const at = y(i, devices.length);
      nodes.push(this.device(x(columns - 1), at, width, device));
      for (const [vm, kind] of holders(device))
        if (place.has(vm)) lines.push(line(right(4, place.get(vm)), left(5, at), kind));
    });
    return { height, nodes, lines };
  }

  downwards() {
    const { trunk, vms, devices } = this.items;
    const nodes = [], lines = [];
    let y = 2;
    let above = null;
    const add = (item, level, draw, kind) => {
      const x = 1 + level * 22;
      nodes.push(draw(x, y, this.width - 2 - level * 22));
      const from = above?.[level];
      if (from) lines.push(level === 0 ? svg("path", { class: `line ${kind}`, d: `M${from.x} ${from.y}V${y}` }) : line({ ...from, down: true }, { x, y: y + tall / 2 }, kind));
      y += tall + step;
      return { x: x + 11, y: y - step };
    };
    for (const item of trunk) above = { 0: add(item, 0, (x, at, width) => node(x, at, width, item, "link"), item.via) };
    const root = above[0];
    const drawn = new Set();
    for (const vm of vms) {
      above = { 1: root };
      const under = add(vm, 1, (x, at, width) => node(x, at, width, vm, "vm"), trunk.sound ? vm.status : "unknown");
      for (const device of devices.filter((each) => !drawn.has(each) && holders(each).some(([id]) => id === vm.id))) {
        drawn.add(device);
        above = { 2: under };
        add(device, 2, (x, at, width) => this.device(x, at, width, device), holders(device)[0][1]);
      }
    }
    above = null;
    for (const device of devices) if (!drawn.has(device)) add(device, 2, (x, at, width) => this.device(x, at, width, device), "unknown");
    return { height: y - step + 2, nodes, lines };
  }

  device(x, y, width, item) {
    const group = node(x, y, width, item, "device");
    if (!item.grant) return group;
    const clock = svg("text", { class: "clock", x: width - 12, y: 40, "text-anchor": "end" });
    const room = { x: 12, y: tall - 9, height: 3, rx: 1.5, width: width - 24 };
    const bar = svg("rect", { class: "left", ...room });
    group.append(svg("rect", { class: "whole", ...room }), bar, clock);
    this.clocks.push({ grant: item.grant, clock, bar, width: room.width, group });
    return group;
  }

  tick() {
    for (const { grant, clock, bar, width, group } of this.clocks) {
      const left = grant.left();
      clock.textContent = left > 0 ? span(left) : "ended";
      bar.setAttribute("width", Math.max(0, Math.min(1, left / (grant.lease_seconds * 1000))) * width);
      group.classList.toggle("ending", grant.revoked_at !== 0 || left < grant.lease_seconds * 250);
    }
  }
}

/** Who has it, or else who might: [vm id, kind of line]. */
function holders(device) {
  if (device.holder) return [[device.holder, device.grant?.revoked_at ? "differs" : "good"]];
  return device.may_hold.map((vm) => [vm, "may"]);
}
