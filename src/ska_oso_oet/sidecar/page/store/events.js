/** Changes of the state of a subarray by an event. */

import { hasEnded } from "./subarray.js";

/** @import { OetEvent, Procedure, QueueEntry, Subarray } from "../types" */

/** Number of events that are kept for display. */
const KEPT = 5000;

/** Number of ended procedures that are kept. */
const KEPT_PROCEDURES = 200;

/** @type {Record<string, (subarray: Subarray, event: OetEvent) => void>} */
const EFFECTS = {
  "procedure.lifecycle.created": takeProcedure,
  "procedure.lifecycle.started": takeProcedure,
  "procedure.lifecycle.paused": takeProcedure,
  "procedure.lifecycle.resumed": takeProcedure,
  "procedure.lifecycle.stopped": takeProcedure,
  "procedure.lifecycle.complete": takeProcedure,
  "procedure.lifecycle.failed": takeProcedure,
  "procedure.lifecycle.statechange": changeState,
  "procedure.lifecycle.stacktrace": takeTrace,
  "procedure.checkpoint.passed": takeCheckpoint,
  "procedure.checkpoint.pending": takePending,
  "procedure.question.asked": takeQuestion,
  "procedure.question.answered": endQuestion,
  "procedure.question.expired": endQuestion,
  "procedure.question.withdrawn": endQuestion,
  "activity.lifecycle.running": takeActivity,
  "activity.lifecycle.statechange": changeActivity,
  "queue.state": changeQueue,
  "queue.entry.added": takeEntry,
  "queue.entry.changed": takeEntry,
  "queue.entry.removed": takeEntry,
  "user.script.progress": takeProgress,
};

/**
 * Apply an event. The same event twice, or one that is older than what is known, does no harm.
 *
 * @param {Subarray} subarray
 * @param {OetEvent} event
 */
export function apply(subarray, event) {
  note(subarray, event);
  EFFECTS[event.topic]?.(subarray, event);
}

/**
 * Take an event that happened before the state was read: its effects are in that.
 *
 * @param {Subarray} subarray
 * @param {OetEvent} event
 */
export function applyPast(subarray, event) {
  note(subarray, event);
  if (event.topic === "user.script.progress") takeProgress(subarray, event);
}

/**
 * @param {Subarray} subarray
 * @param {OetEvent} event
 */
function note(subarray, event) {
  subarray.lastEvent = event.seq;
  subarray.heard = Math.max(subarray.heard, event.time);
  subarray.events.push(event);
  if (subarray.events.length > KEPT * 1.2) subarray.events.splice(0, subarray.events.length - KEPT);
}

/**
 * Apply the events after one again: what was read meanwhile may be older than they are.
 *
 * @param {Subarray} subarray
 * @param {number} after number of an event
 */
export function applyAgain(subarray, after) {
  for (const event of subarray.events) if (event.seq > after) EFFECTS[event.topic]?.(subarray, event);
}

/**
 * Take what is known of a procedure, unless something newer is.
 *
 * @param {Subarray} subarray
 * @param {Procedure} procedure
 */
export function keep(subarray, procedure) {
  const known = subarray.procedures.get(procedure.id);
  if (known && isNewer(known, procedure)) return;
  subarray.procedures.set(procedure.id, procedure);
  if (subarray.procedures.size > KEPT_PROCEDURES * 1.2) forget(subarray);
}

/**
 * @param {Procedure} known
 * @param {Procedure} other
 */
function isNewer(known, other) {
  const mine = known.history.process_states.at(-1)?.[1] ?? 0;
  const its = other.history.process_states.at(-1)?.[1] ?? 0;
  return (hasEnded(known) && !hasEnded(other)) || mine > its + 0.5;
}

/** @param {Subarray} subarray */
function forget(subarray) {
  const ended = [...subarray.procedures.values()].filter(hasEnded).sort((one, other) => one.id - other.id);
  for (const each of ended.slice(0, Math.max(0, ended.length - KEPT_PROCEDURES))) {
    subarray.procedures.delete(each.id);
    subarray.progress.delete(each.id);
  }
}

/**
 * @param {Subarray} subarray
 * @param {OetEvent} event
 */
function takeProcedure(subarray, event) {
  if (event.result && typeof event.result.id === "number") keep(subarray, event.result);
}

/**
 * @param {Subarray} subarray
 * @param {OetEvent} event
 */
function changeState(subarray, event) {
  const procedure = subarray.procedures.get(Number(event.msg_src));
  if (!procedure || hasEnded(procedure)) return;
  const last = procedure.history.process_states.at(-1);
  if (last && (last[0] === event.new_state || last[1] > event.time + 0.5)) return;
  subarray.procedures.set(procedure.id, {
    ...procedure,
    state: event.new_state,
    history: {
      ...procedure.history,
      process_states: [...procedure.history.process_states, [event.new_state, event.time]],
    },
  });
}

/**
 * @param {Subarray} subarray
 * @param {OetEvent} event
 */
function takeTrace(subarray, event) {
  const procedure = subarray.procedures.get(Number(event.msg_src));
  if (!procedure || procedure.history.stacktrace) return;
  const history = { ...procedure.history, stacktrace: String(event.stacktrace) };
  subarray.procedures.set(procedure.id, { ...procedure, history });
}

/**
 * @param {Subarray} subarray
 * @param {OetEvent} event
 */
function takeCheckpoint(subarray, event) {
  const procedure = subarray.procedures.get(Number(event.msg_src));
  if (!procedure || hasEnded(procedure)) return;
  const checkpoint = event.checkpoint === null ? null : String(event.checkpoint);
  subarray.procedures.set(procedure.id, { ...procedure, checkpoint });
}

/**
 * @param {Subarray} subarray
 * @param {OetEvent} event
 */
function takePending(subarray, event) {
  const procedure = subarray.procedures.get(Number(event.msg_src));
  if (!procedure || hasEnded(procedure)) return;
  subarray.procedures.set(procedure.id, { ...procedure, at_checkpoint: event.at_checkpoint ?? null });
}

/**
 * @param {Subarray} subarray
 * @param {OetEvent} event
 */
function takeQuestion(subarray, event) {
  subarray.question ??= event.question;
}

/**
 * @param {Subarray} subarray
 * @param {OetEvent} event
 */
function endQuestion(subarray, event) {
  if (subarray.question?.id === event.question?.id) subarray.question = null;
}

/**
 * @param {Subarray} subarray
 * @param {OetEvent} event
 */
function takeActivity(subarray, event) {
  if (event.result && typeof event.result.id === "number") subarray.activities.set(event.result.id, event.result);
}

/**
 * @param {Subarray} subarray
 * @param {OetEvent} event
 */
function changeActivity(subarray, event) {
  const activity = subarray.activities.get(Number(event.activity_id));
  if (activity) subarray.activities.set(activity.id, { ...activity, state: event.new_state });
}

/**
 * @param {Subarray} subarray
 * @param {OetEvent} event
 */
function changeQueue(subarray, event) {
  const entries = subarray.queue?.entries ?? [];
  subarray.queue = { state: event.new_state, reason: event.reason ?? null, entries };
}

/**
 * @param {Subarray} subarray
 * @param {OetEvent} event
 */
function takeEntry(subarray, event) {
  /** @type {QueueEntry | undefined} */
  const entry = event.result;
  if (!entry || !subarray.queue) return;
  const others = subarray.queue.entries.filter((each) => each.id !== entry.id);
  const entries = entry.state === "REMOVED" ? others : [...others, entry];
  entries.sort((one, other) => one.rank - other.rank);
  subarray.queue = { ...subarray.queue, entries };
}

/**
 * @param {Subarray} subarray
 * @param {OetEvent} event
 */
function takeProgress(subarray, event) {
  const percent = Number(event.progress);
  if (!Number.isFinite(percent)) return;
  const message = event.msg === null || event.msg === undefined ? null : String(event.msg);
  subarray.progress.set(Number(event.msg_src), { percent: Math.min(100, Math.max(0, percent)), message, time: event.time });
}
