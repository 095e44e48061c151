/** Actions on a run: start, pause, stop. */

import { h } from "../dom/h.js";
import { call } from "../net/api.js";
import { hasEnded, mainBegan, running, scriptName } from "../store/subarray.js";
import { clean } from "../text.js";
import { action, refusal } from "./action.js";
import { ask } from "./dialogs.js";

/** @import { Procedure, Subarray } from "../types" */

/** Milliseconds that a stop may take: the answer comes when the script has ended, and the abort script too. */
const STOP_PATIENCE = 90_000;

/**
 * Describe the buttons of a run.
 *
 * @param {Subarray} subarray
 * @param {Procedure} procedure
 */
export function runActions(subarray, procedure) {
  if (hasEnded(procedure)) return [];
  if (procedure.state === "READY") return [start(subarray, procedure), ...stops(subarray, procedure)];
  const active = procedure.state === "RUNNING" || procedure.state === "PAUSED";
  return [...(active ? holds(subarray, procedure) : []), ...stops(subarray, procedure)];
}

/** Describe the choice to stop later. */
const later = () =>
  h("label", { class: "check" }, h("input", { type: "checkbox", name: "later" }), h("span", null, "Not now, but at its next checkpoint"));

/** @param {Procedure} procedure */
const nameOf = (procedure) => `#${procedure.id} ${clean(scriptName(procedure.script))}`;

/**
 * @param {Subarray} subarray
 * @param {Procedure} procedure
 */
function start(subarray, procedure) {
  const other = running(subarray);
  return action({
    name: `start ${subarray.number} ${procedure.id}`,
    label: "Start",
    picture: "play",
    kind: "primary",
    refused: refusal(subarray) ?? (other ? `#${other.id} runs: one procedure runs at a time.` : null),
    run: async () => {
      await call(subarray.number, "PUT", `/procedures/${procedure.id}`, { state: "RUNNING" });
    },
  });
}

/**
 * @param {Subarray} subarray
 * @param {Procedure} procedure
 */
function holds(subarray, procedure) {
  const refused = refusal(subarray);
  const { number } = subarray;
  const path = `/procedures/${procedure.id}`;
  const held = procedure.state === "PAUSED";
  const resume = action({
    name: `resume ${number} ${procedure.id}`,
    label: held ? "Resume" : procedure.at_checkpoint === "STOP" ? "Do not stop" : "Do not pause",
    picture: "play",
    kind: held ? "primary" : "",
    refused,
    run: async () => {
      await call(number, "PUT", path, { state: "RUNNING" });
    },
  });
  const pause = action({
    name: `pause ${number} ${procedure.id}`,
    label: "Pause",
    picture: "pause",
    refused,
    run: async () => {
      await call(number, "PUT", path, { state: "PAUSED" });
      return `#${procedure.id} pauses at its next checkpoint. A script without checkpoints does not.`;
    },
  });
  const step = action({
    name: `step ${number} ${procedure.id}`,
    label: "Step",
    picture: "step",
    refused,
    run: async () => {
      await call(number, "POST", `${path}/step`);
    },
  });
  return [held || procedure.at_checkpoint ? resume : pause, held ? step : null];
}

/**
 * @param {Subarray} subarray
 * @param {Procedure} procedure
 */
function stops(subarray, procedure) {
  const refused = refusal(subarray);
  const place = `subarray ${subarray.number}`;
  const target = procedure.subarray_id ?? subarray.number;
  const stop = (/** @type {boolean} */ abort) => async () => {
    const runs = mainBegan(procedure);
    const does = runs
      ? `The script is interrupted where it is. Its clean-up code runs, then its process ends. Subarray ${target} stays as it is.`
      : "The script has not begun: its process ends, and it can no longer be started.";
    const also = ` Then the abort script sends Abort to subarray ${target}: its observation ends at once.`;
    const title = abort ? `Stop ${nameOf(procedure)} on ${place}, and abort subarray ${target}?` : `Stop ${nameOf(procedure)} on ${place}?`;
    const consequence = abort ? does.replace(` Subarray ${target} stays as it is.`, "") + also : does;
    const content = [h("p", null, consequence), procedure.checkpoint === null ? null : later()];
    const agreed = await ask(title, content, { confirm: abort ? "Stop and abort" : "Stop", danger: true });
    if (agreed === null) return null;
    const body = { state: "STOPPED", abort, ...(agreed.has("later") ? { at: "checkpoint" } : {}) };
    const reply = await call(subarray.number, "PUT", `/procedures/${procedure.id}`, body, STOP_PATIENCE);
    if (agreed.has("later")) return String(reply.abort_message);
    if (abort && reply.aborted === false) throw new Error(`#${procedure.id} was stopped, and Abort failed: ${reply.abort_message}`);
    return String(reply.abort_message);
  };
  return [
    action({ name: `stop ${subarray.number} ${procedure.id}`, label: "Stop", picture: "stop", refused, run: stop(false) }),
    action({ name: `abort ${subarray.number} ${procedure.id}`, label: "Stop and abort", picture: "abort", kind: "danger", refused, run: stop(true) }),
  ];
}
