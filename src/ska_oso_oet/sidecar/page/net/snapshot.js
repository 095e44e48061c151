/** The present state, by REST: read when the page connects, and again only where events do not report changes. */

import { applyAgain, keep } from "../store/events.js";
import { store } from "../store/store.js";
import { newSubarray } from "../store/subarray.js";
import { now } from "../time.js";
import { ApiError, call } from "./api.js";

/** @import { ControllerSnapshot, ControllerState, Subarray } from "../types" */

/** Milliseconds after which a state that could not be read is asked for again. */
const RETRY = 3000;

/**
 * Subarrays whose state is being read, and whether it is to be read again after that.
 *
 * @type {WeakMap<Subarray, boolean>}
 */
const loading = new WeakMap();

/** Read the state of all controllers. */
export async function loadAll() {
  const known = store.state.subarrays;
  const before = new Map([...known].map(([number, subarray]) => [number, [...subarray.procedures.keys()]]));
  /** @type {ControllerSnapshot[]} */
  const snapshots = await call(null, "GET", "/subarrays/snapshot");
  store.state.subarrays = new Map(
    snapshots.map(({ subarray_id: number, device }) => [number, known.get(number) ?? newSubarray(number, device)]),
  );
  for (const snapshot of snapshots) take(snapshot, before.get(snapshot.subarray_id) ?? []);
}

/**
 * Read the state of one controller.
 *
 * @param {Subarray} subarray
 */
export async function load(subarray) {
  const begun = loading.has(subarray);
  loading.set(subarray, begun);
  if (begun) return;
  const before = [...subarray.procedures.keys()];
  try {
    const [snapshot] = await call(subarray.number, "GET", "/subarrays/snapshot");
    take(snapshot, before);
  } catch (error) {
    subarray.error = error instanceof ApiError ? error.message : String(error);
    retry(subarray);
  }
  const again = loading.get(subarray);
  loading.delete(subarray);
  store.changed();
  if (again) load(subarray);
}

/** @param {Subarray} subarray */
function retry(subarray) {
  setTimeout(() => {
    if (subarray.available && subarray.error) load(subarray);
  }, RETRY);
}

/**
 * @param {ControllerSnapshot} snapshot
 * @param {number[]} before IDs of the procedures that were known before it was read
 */
function take(snapshot, before) {
  const subarray = store.subarray(snapshot.subarray_id);
  if (!subarray) return;
  subarray.available ??= snapshot.available;
  const since = snapshot.unavailable_since;
  subarray.unavailable = since === null ? null : { since: Date.parse(since) / 1000, reason: snapshot.reason ?? "" };
  if (snapshot.state) takeState(subarray, snapshot.state, before, snapshot.last_event ?? 0);
  subarray.error = snapshot.state ? null : snapshot.reason;
  if (subarray.error) retry(subarray);
}

/**
 * @param {Subarray} subarray
 * @param {ControllerState} state
 * @param {number[]} before IDs of the procedures that were known before it was read
 * @param {number} lastEvent number of the newest event before the state was read
 */
function takeState(subarray, state, before, lastEvent) {
  const listed = new Set(state.procedures.map((each) => each.id));
  // One that is not listed any more is older than those that are, or of another numbering.
  for (const id of before) if (!listed.has(id)) subarray.procedures.delete(id);
  for (const procedure of state.procedures) keep(subarray, procedure);
  subarray.status = state.status;
  subarray.activities = new Map(state.activities.map((each) => [each.id, each]));
  subarray.queue = state.queue;
  subarray.question = state.question;
  subarray.readUntil = lastEvent;
  subarray.loaded = true;
  subarray.heard = now();
  applyAgain(subarray, lastEvent);
}

/**
 * Read the question that waits now: others may have been asked before the former one was answered.
 *
 * @param {Subarray} subarray
 */
export async function loadQuestion(subarray) {
  try {
    const { question } = await call(subarray.number, "GET", "/question");
    subarray.question = question;
    store.changed();
  } catch {
    // It is read again when the controller is back.
  }
}

/**
 * Read all of a procedure that lists and events shorten.
 *
 * @param {Subarray} subarray
 * @param {number} id
 */
export async function loadProcedure(subarray, id) {
  const { procedure } = await call(subarray.number, "GET", `/procedures/${id}`);
  subarray.procedures.set(id, procedure);
  store.changed();
}
