// SPDX-License-Identifier: Apache-2.0
// Calls of the verifier's API (docs/interfaces/verifier-api.md). The token lives in this tab's session storage, goes into one header and
// nowhere else; without one the browser may show a client certificate by itself.
import { sentence } from "./words.js";

const key = "casemate.token";

export function token() {
  return sessionStorage.getItem(key) ?? "";
}
export function keep_token(text) {
  if (text === "") sessionStorage.removeItem(key);
  else sessionStorage.setItem(key, text);
}

/** What the service said instead of an answer; `status` 0: it was not reached. */
export class Refusal extends Error {
  constructor(status, code, detail) {
    super(sentence(detail));
    this.status = status;
    this.code = code;
  }
  /** The caller is no operator, or no longer. */
  get ends_session() {
    return this.status === 401 || this.code === "operator_only" || this.code === "certificate_unknown";
  }
}

export function authorization() {
  const text = token();
  return text === "" ? {} : { Authorization: `Bearer ${text}` };
}

export async function refusal_of(response) {
  try {
    const { error } = await response.json();
    return new Refusal(response.status, String(error.code), String(error.detail));
  } catch {
    return new Refusal(response.status, "", `the service answered with status ${response.status}`);
  }
}

export async function call(method, path, body) {
  const headers = authorization();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store", redirect: "error" });
  } catch {
    throw new Refusal(0, "unreachable", "the service cannot be reached");
  }
  if (!response.ok) throw await refusal_of(response);
  return response.json();
}

export const get = (path) => call("GET", path);
