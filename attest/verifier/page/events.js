// SPDX-License-Identifier: Apache-2.0
// The stream of events, by fetch: EventSource cannot show a token. Goes on after the last event that was seen, and says when it is down.
import { authorization, refusal_of } from "./api.js";

const silence = 40_000; // milliseconds; the service sends something every 15 s
const longest_pause = 10_000;

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The promise; `late()` is called when it takes longer than silence may. */
function in_time(promise, late) {
  const watch = setTimeout(late, silence);
  return promise.finally(() => clearTimeout(watch));
}

/** Fields of one event [HTML 9.2.6]; comments are skipped. */
function parse(block) {
  const event = { id: undefined, type: "message", data: "" };
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const value = line.slice(colon + 1).replace(/^ /, "");
    const name = line.slice(0, colon);
    if (name === "id") event.id = value;
    else if (name === "event") event.type = value;
    else if (name === "data") event.data += value;
  }
  return event;
}

export class Live {
  /** `on_row(row)` for each new row of the audit trail, `on_state(live)`, `on_gap()` when rows may have been missed,
   *  `on_end(refusal)` when the caller may read no more. */
  constructor({ on_row, on_state, on_gap, on_end }) {
    Object.assign(this, { on_row, on_state, on_gap, on_end });
    this.last_id = "";
    this.stopped = false;
    this.resting = null; // resolved when the page is looked at again
    this.pause = 500;
    this.abort = new AbortController();
  }

  async run() {
    while (!this.stopped) {
      if (this.resting) {
        await this.resting.promise;
        continue;
      }
      try {
        await this.connect();
      } catch {
        // Said by on_state below.
      }
      if (this.stopped) return;
      if (this.resting) continue;
      this.on_state(false);
      await wait(this.pause);
      this.pause = Math.min(longest_pause, this.pause * 2);
    }
  }

  /** A page that nobody looks at keeps no connection: a browser has six for one service, whatever the number of its tabs. */
  rest() {
    if (this.resting) return;
    let done;
    const promise = new Promise((resolve) => { done = resolve; });
    this.resting = { promise, done };
    this.abort.abort();
  }

  wake() {
    this.resting?.done();
    this.resting = null;
  }

  stop() {
    this.stopped = true;
    this.wake();
    this.abort.abort();
  }

  async connect() {
    this.abort = new AbortController();
    const headers = authorization();
    if (this.last_id !== "") headers["Last-Event-ID"] = this.last_id;
    const response = await fetch("/v1/events", { headers, cache: "no-store", redirect: "error", signal: this.abort.signal });
    if (!response.ok) return this.refused(await refusal_of(response));
    this.on_state(true);
    this.pause = 500;
    await this.read(response.body.getReader(), this.abort);
  }

  refused(refusal) {
    if (refusal.code === "last_event_id") {
      this.last_id = "";
      this.on_gap();
    } else if (refusal.ends_session) {
      this.stop();
      this.on_end(refusal);
    }
  }

  async read(reader, abort) {
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { done, value } = await in_time(reader.read(), () => abort.abort());
      if (done) return;
      const blocks = (text + decoder.decode(value, { stream: true })).split("\n\n");
      text = blocks.pop();
      for (const block of blocks) this.take(parse(block));
    }
  }

  take(event) {
    if (event.id !== undefined) this.last_id = event.id;
    if (event.type === "audit") this.on_row(JSON.parse(event.data));
  }
}
