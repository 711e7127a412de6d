// SPDX-License-Identifier: Apache-2.0
// What the API's words are called on the page.

/** Kind (a colour and a sign) and word of a platform's standing: state first, for who is out of service is not judged. */
export function standing(platform) {
  if (platform.state !== "active") return { kind: "off", word: platform.state };
  if (platform.last_verdict === "affirming") return { kind: "good", word: "affirming" };
  if (platform.last_verdict === "") return { kind: "none", word: "no evidence" };
  return { kind: "bad", word: "refused" };
}

export const link_titles = {
  quote: "TPM quote",
  log: "Event log",
  launch: "Secure loader",
  hypervisor: "Hypervisor",
  policy: "Owner's policy",
  vms: "Driver VMs",
  custody: "Device custody",
};

const link_words = {
  quote: "signed by the enrolled key, for the verifier's challenge",
  log: "replays to the quoted PCRs",
  launch: "launched by SKINIT, an accepted build",
  hypervisor: "an accepted build",
  policy: "signed by the owner, accepted",
  vms: "kernel, initrd and command line as accepted",
  custody: "the ledger shows no step that is not allowed",
};

export function link_sentence(link) {
  if (link.status === "good") return link_words[link.name];
  return link.status === "differs" ? "not as accepted" : "not proved: an earlier link failed, or there is no evidence";
}

export const status_signs = { good: "\u2713", differs: "\u2717", unknown: "?" };
export const status_words = { good: "good", differs: "differs", unknown: "not proved" };

/** A refusal's sentence, beginning and ending as one. */
export function sentence(text) {
  const trimmed = text.trim();
  if (trimmed === "") return "The service refused without saying why.";
  const begun = trimmed[0].toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(begun) ? begun : begun + ".";
}

/** Device address without the usual segment. */
export function device_name(device) {
  return device.startsWith("0000:") ? device.slice(5) : device;
}
