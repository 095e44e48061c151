/** Running a script or an activity now, or adding it to the queue. */

import { call } from "../net/api.js";
import { store } from "../store/store.js";
import { hasEnded, mainBegan, running } from "../store/subarray.js";
import { go, to } from "../router.js";

/** @import { Arguments, Procedure, Script, Subarray } from "../types" */
/** @import { Options } from "./entry_options.js" */

/** Milliseconds that a Create may take: the answer comes when the request has been checked. */
const CREATE_PATIENCE = 60_000;

/**
 * Return why nothing can be run now; null if it can.
 *
 * @param {Subarray} subarray
 */
export function occupied(subarray) {
  const other = running(subarray);
  return other ? `#${other.id} runs: one procedure runs at a time. Add it to the queue.` : null;
}

/**
 * A procedure to be prepared: a script with its arguments, or an earlier run again.
 *
 * @typedef {{script: Script | null, again: number | null, script_args: Record<string, Arguments>}} Wanted
 */

/**
 * Prepare a script, show its run, and start it if it is to start.
 *
 * @param {Subarray} subarray
 * @param {Wanted} wanted
 * @param {boolean} start
 */
export async function run(subarray, wanted, start) {
  const { number } = subarray;
  const { script, again, script_args } = wanted;
  const answer =
    again === null
      ? await call(number, "POST", "/procedures", { script, script_args }, CREATE_PATIENCE)
      : await call(number, "POST", `/procedures/${again}/rerun`, { script_args }, CREATE_PATIENCE);
  /** @type {Procedure} */
  const procedure = answer.procedure;
  if (!subarray.procedures.has(procedure.id)) subarray.procedures.set(procedure.id, procedure);
  go(to(number, "runs", procedure.id));
  if (!start) return null;
  await untilReady(subarray, procedure.id);
  const now = subarray.procedures.get(procedure.id);
  // One that has failed says so itself, in the view that is shown now.
  if (now && !hasEnded(now)) await call(number, "PUT", `/procedures/${procedure.id}`, { state: "RUNNING" });
  return null;
}

/**
 * Wait until a procedure is READY, or has ended.
 *
 * @param {Subarray} subarray
 * @param {number} id
 * @returns {Promise<void>}
 */
function untilReady(subarray, id) {
  return new Promise((resolve) => {
    const look = () => {
      const procedure = subarray.procedures.get(id);
      if (procedure && procedure.state !== "READY" && !hasEnded(procedure) && !mainBegan(procedure)) return;
      unsubscribe();
      resolve();
    };
    const unsubscribe = store.subscribe(look);
    look();
  });
}

/**
 * Add a script, or an activity, to the back of the queue.
 *
 * @param {Subarray} subarray
 * @param {{procedure: object} | {activity: object}} what
 * @param {Options} options
 * @returns {Promise<string>} what to say
 */
export async function enqueue(subarray, what, options) {
  const { entries } = await call(subarray.number, "POST", "/queue", { ...what, ...options });
  return `Added to the queue of subarray ${subarray.number} as entry ${entries[0].id}.`;
}
