// SPDX-License-Identifier: Apache-2.0
// A question before something that cannot be undone. The browser's own modal dialog keeps the focus inside and gives it back.
import { el, set_text } from "./dom.js";

/** `facts`: pairs of a word and a node. `action` runs when it was confirmed; what it throws is shown, and the dialog stays.
 *  Resolves to whether it was done. */
export function confirm({ title, text, facts, verb, action }) {
  return new Promise((resolve) => {
    let done = false;
    const trouble = el("p", { class: "trouble", role: "alert" });
    const cancel = el("button", { type: "button", class: "plain-button", on: { click: () => dialog.close() } }, "Cancel");
    const go = el("button", { type: "button", class: "danger" }, verb);
    go.addEventListener("click", async () => {
      go.disabled = true;
      set_text(trouble, "");
      try {
        await action();
        done = true;
        dialog.close();
      } catch (refusal) {
        set_text(trouble, refusal.message);
        go.disabled = false;
        go.focus();
      }
    });
    const dialog = el("dialog", { "aria-labelledby": "dialog-title", "aria-describedby": "dialog-text" },
      el("h2", { id: "dialog-title" }, title),
      el("p", { id: "dialog-text" }, text),
      el("dl", { class: "facts" }, facts.flatMap(([word, node]) => [el("dt", {}, word), el("dd", {}, node)])),
      trouble,
      el("div", { class: "buttons" }, cancel, go));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(done);
    });
    document.body.append(dialog);
    dialog.showModal();
    cancel.focus();
  });
}
