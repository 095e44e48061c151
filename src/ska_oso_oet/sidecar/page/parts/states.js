/** States as people see them: a picture, a word and a colour. */

import { h } from "../dom/h.js";
import { mainBegan } from "../store/subarray.js";
import { icon } from "./icons.js";

/** @import { Procedure, Subarray } from "../types" */

/**
 * Tone of a state: it chooses the colour.
 *
 * @typedef {"quiet" | "busy" | "ready" | "good" | "bad" | "held" | "ask"} Tone
 * @typedef {{word: string, icon: string, tone: Tone}} Look
 */

/** @type {Record<string, Look>} */
const LOOKS = {
  UNKNOWN: { word: "Unknown", icon: "unknown", tone: "held" },
  CREATING: { word: "Creating", icon: "clock", tone: "ready" },
  IDLE: { word: "Preparing", icon: "clock", tone: "ready" },
  PREP_ENV: { word: "Building environment", icon: "clock", tone: "ready" },
  LOADING: { word: "Loading", icon: "clock", tone: "ready" },
  READY: { word: "Ready", icon: "ring", tone: "ready" },
  RUNNING: { word: "Running", icon: "play", tone: "busy" },
  PAUSED: { word: "Paused", icon: "pause", tone: "held" },
  STOPPED: { word: "Stopped", icon: "stop", tone: "held" },
  COMPLETE: { word: "Complete", icon: "check", tone: "good" },
  FAILED: { word: "Failed", icon: "cross", tone: "bad" },
  // of activities
  REQUESTED: { word: "Requested", icon: "clock", tone: "ready" },
  PREPARED: { word: "Prepared", icon: "ring", tone: "ready" },
  // of entries of the queue, and of the queue
  WAITING: { word: "Waiting", icon: "clock", tone: "quiet" },
  PREPARING: { word: "Preparing", icon: "clock", tone: "ready" },
  DONE: { word: "Done", icon: "check", tone: "good" },
  SKIPPED: { word: "Skipped", icon: "step", tone: "held" },
  REMOVED: { word: "Removed", icon: "cross", tone: "quiet" },
  STOPPING: { word: "Stopping", icon: "stop", tone: "held" },
  // of health
  OK: { word: "Healthy", icon: "check", tone: "good" },
  DEGRADED: { word: "Degraded", icon: "warning", tone: "held" },
};

/** @type {Look} */
const NOTHING = { word: "Nothing runs", icon: "dot", tone: "quiet" };

/** @type {Look} */
const ASKS = { word: "Asks", icon: "question", tone: "ask" };

/**
 * Return how a state looks.
 *
 * @param {string} state
 * @returns {Look}
 */
export const look = (state) => LOOKS[state] ?? { word: state, icon: "unknown", tone: "quiet" };

/**
 * Describe a state.
 *
 * @param {Look} how
 * @param {string} [more] class names
 */
export function badge(how, more = "") {
  return h("span", { class: `badge tone-${how.tone} ${more}` }, icon(how.icon), how.word);
}

/**
 * Return how the state of a procedure looks.
 *
 * @param {Procedure} procedure
 * @returns {Look}
 */
export function lookOf(procedure) {
  const initializes = procedure.state === "RUNNING" && !mainBegan(procedure);
  return initializes ? { word: "Initialising", icon: "clock", tone: "ready" } : look(procedure.state);
}

/**
 * Return how a subarray as a whole looks.
 *
 * @param {Subarray} subarray
 * @param {Procedure | undefined} running
 * @returns {Look}
 */
export function lookOfSubarray(subarray, running) {
  if (subarray.available === false) return { word: "Unavailable", icon: "cross", tone: "bad" };
  if (!subarray.loaded) return { word: subarray.error ? "Unavailable" : "Loading", icon: "clock", tone: "quiet" };
  if (subarray.question) return ASKS;
  if (subarray.status?.state === "FAULT") return { word: "Fault", icon: "warning", tone: "bad" };
  if (subarray.status?.state === "OFF" || subarray.status?.state === "STANDBY") {
    return { word: "Switched off", icon: "unknown", tone: "held" };
  }
  if (subarray.status?.state === "DISABLE") return { word: "Offline", icon: "unknown", tone: "held" };
  return running ? lookOf(running) : NOTHING;
}
