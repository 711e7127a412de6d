// SPDX-License-Identifier: Apache-2.0
// Times are the service's: a browser whose clock is wrong still counts leases down rightly.

let offset = 0; // milliseconds from this clock to the service's

export function service_says(now) {
  offset = now - Date.now();
}

export function service_now() {
  return Date.now() + offset;
}

/** "12 s", "4 min", "3 h", "2 d" */
export function span(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 2 * 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

export function ago(at) {
  return at === 0 ? "never" : `${span(service_now() - at)} ago`;
}

const two = (number) => String(number).padStart(2, "0");

/** "2026-11-28 05:12:44", local time; empty for never. */
export function moment(at) {
  if (at === 0) return "";
  const date = new Date(at);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Milliseconds until the lease of a grant ends without a renewal; not above zero when it has. */
export function lease_left(grant) {
  return grant.renewed_at + grant.lease_seconds * 1000 - service_now();
}
