/** Facts about a subarray, derived from its state in the page. */

import { now } from "../time.js";
import { store } from "./store.js";

/** @import { Procedure, QueueEntry, Requester, State, Subarray } from "../types" */

const ENDED = new Set(["UNKNOWN", "STOPPED", "COMPLETE", "FAILED"]);
const WAITING = new Set(["WAITING", "PREPARING", "READY", "RUNNING"]);

/**
 * Return a subarray of which nothing is known yet.
 *
 * @param {number} number
 * @param {string} device
 * @returns {Subarray}
 */
export function newSubarray(number, device) {
  return {
    number,
    device,
    available: null,
    availableSince: now(),
    unavailable: null,
    loaded: false,
    error: null,
    heard: 0,
    status: null,
    procedures: new Map(),
    activities: new Map(),
    queue: null,
    question: null,
    progress: new Map(),
    events: [],
    lastEvent: null,
    readUntil: 0,
  };
}

/** @param {{state: string}} procedure */
export const hasEnded = (procedure) => ENDED.has(procedure.state);

/**
 * Return whether a procedure's `main` runs or has run. RUNNING before the first READY is `init`.
 *
 * @param {Procedure} procedure
 */
export function mainBegan(procedure) {
  const states = procedure.history.process_states.map(([state]) => state);
  const ready = states.indexOf("READY");
  return ready >= 0 && states.indexOf("RUNNING", ready) >= 0;
}

/**
 * Return the procedure that runs `main`, if one does.
 *
 * @param {Subarray} subarray
 */
export function running(subarray) {
  return [...subarray.procedures.values()].find((each) => !hasEnded(each) && mainBegan(each));
}

/**
 * Return the procedure to look at: the one that runs, else the newest.
 *
 * @param {Subarray} subarray
 * @returns {Procedure | undefined}
 */
export function current(subarray) {
  return running(subarray) ?? newest(subarray)[0];
}

/**
 * Return the procedures, newest first.
 *
 * @param {Subarray} subarray
 */
export function newest(subarray) {
  return [...subarray.procedures.values()].sort((one, other) => other.id - one.id);
}

/**
 * Return when `main` of a procedure began, and when it ended; null for what has not happened.
 *
 * @param {Procedure} procedure
 * @returns {{began: number | null, ended: number | null}}
 */
export function times(procedure) {
  const states = procedure.history.process_states;
  const ready = states.findIndex(([state]) => state === "READY");
  const began = ready < 0 ? undefined : states.slice(ready).find(([state]) => state === "RUNNING");
  const last = states.at(-1);
  return { began: began?.[1] ?? null, ended: last && hasEnded(procedure) ? last[1] : null };
}

/**
 * Return how long a procedure may still run, in seconds, by how far it has come; null if that is not known.
 *
 * @param {Subarray} subarray
 * @param {Procedure} procedure
 */
export function timeLeft(subarray, procedure) {
  const progress = subarray.progress.get(procedure.id);
  const { began } = times(procedure);
  if (!progress || began === null || hasEnded(procedure) || progress.percent < 2) return null;
  const pace = (progress.time - began) / progress.percent;
  return Math.max(0, began + pace * 100 - present(subarray));
}

/**
 * Return the entries of the queue that have not ended, in the order in which they are run.
 *
 * @param {Subarray} subarray
 * @returns {QueueEntry[]}
 */
export function waiting(subarray) {
  return (subarray.queue?.entries ?? []).filter((entry) => WAITING.has(entry.state));
}

/**
 * Return the name of a procedure's script, for people.
 *
 * @param {{script_uri?: string, script_type: string}} script
 */
export function scriptName(script) {
  if (script.script_type === "embedded") return "embedded script";
  const path = script.script_uri ?? "";
  const name = path.slice(path.lastIndexOf("/") + 1);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/**
 * Return who has made a request, for people.
 *
 * @param {Requester} requester
 */
export function requesterName(requester) {
  const program = [requester.client, requester.host].filter(Boolean).join(" on ");
  return requester.user ?? (program || "an unknown client");
}

/**
 * Return for how long nothing that is shown of a subarray is sure, in seconds; null if it is up to date.
 *
 * @param {State} state
 * @param {Subarray} subarray
 */
export function age(state, subarray) {
  if (state.connection.state !== "open") return now() - state.connection.since;
  if (subarray.available === false) return now() - subarray.availableSince;
  return null;
}

/**
 * Return the time of the shown values of a subarray: now, or the time of its last report.
 *
 * @param {Subarray} subarray
 */
export function present(subarray) {
  return now() - (age(store.state, subarray) ?? 0);
}
