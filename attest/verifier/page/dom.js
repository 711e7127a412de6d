// SPDX-License-Identifier: Apache-2.0
// Building the document. Text from outside only ever becomes text: there is no way here to hand markup over.

const svg_space = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, handler] of Object.entries(value)) node.addEventListener(event, handler);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** An element; children are nodes or text. `on`: handlers by event. */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(svg_space, name), attributes, children);
}

export function set_text(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** "3f2a9c01...": enough to tell ids apart, the whole one in the title. */
export function short_id(id, size = 12) {
  return el("span", { class: "mono", title: id }, id.length > size + 1 ? id.slice(0, size) + "\u2026" : id);
}

/** A text whose long ids and digests are cut short, as nodes. */
export function with_short_ids(text) {
  return text.split(/([0-9a-f]{32,})/).map((part, i) => (i % 2 === 1 ? short_id(part) : part));
}

export function badge(kind, text) {
  return el("span", { class: `badge ${kind}` }, text);
}
