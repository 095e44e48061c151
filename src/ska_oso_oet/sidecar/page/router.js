/** The address behind the `#` says what is shown. */

import { store } from "./store/store.js";

/** @import { Route } from "./types" */

/**
 * Return what an address shows.
 *
 * @param {string} hash e.g. "#/subarrays/2/queue"
 * @returns {Route}
 */
export function parse(hash) {
  const parts = hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decode);
  const [first, number, tab, ...rest] = parts;
  if (first === undefined) return { view: "overview", subarray: null, tab: "", rest: [] };
  if (first === "wall" && number === undefined) return { view: "wall", subarray: null, tab: "", rest: [] };
  if (first === "subarrays" && /^[1-9]\d*$/.test(number ?? "")) {
    return { view: "subarray", subarray: Number(number), tab: tab ?? "now", rest };
  }
  return { view: "unknown", subarray: null, tab: "", rest: [] };
}

/** @param {string} part */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Return what is shown. */
export const route = () => parse(location.hash);

/**
 * Return the address of a view of a subarray.
 *
 * @param {number} subarray
 * @param {...(string | number)} parts the tab, and what follows it
 */
export function to(subarray, ...parts) {
  return `#/${["subarrays", subarray, ...parts].map(encodeURIComponent).join("/")}`;
}

/**
 * Show another view.
 *
 * @param {string} hash
 */
export function go(hash) {
  location.hash = hash;
}

addEventListener("hashchange", () => store.changed());
