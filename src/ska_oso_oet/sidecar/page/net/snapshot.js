/** The present state, by REST: read once, and again only where events do not report changes. */

import { applyAgain, keep } from "../store/events.js";
import { store } from "../store/store.js";
import { now } from "../time.js";
import { ApiError, call } from "./api.js";

/** @import { Activity, Procedure, Subarray } from "../types" */

/** Milliseconds between two times that the status of a controller is read. */
const STATUS_PACE = 2000;

/** Milliseconds after which a state that could not be read is asked for again. */
const RETRY = 3000;

/** @type {WeakMap<Subarray, Promise<void>>} */
const loading = new WeakMap();

/** @type {WeakMap<Subarray, {last: number, timer: number}>} */
const statusTimes = new WeakMap();

/**
 * Read the state of a controller.
 *
 * @param {Subarray} subarray
 */
export function load(subarray) {
  if (loading.has(subarray)) return;
  loading.set(
    subarray,
    loadAll(subarray)
      .then(() => {
        subarray.loaded = true;
        subarray.error = null;
      })
      .catch((error) => {
        subarray.error = error instanceof ApiError ? error.message : String(error);
        setTimeout(() => {
          if (subarray.available && subarray.error) load(subarray);
        }, RETRY);
      })
      .finally(() => {
        loading.delete(subarray);
        store.changed();
      }),
  );
}

/** @param {Subarray} subarray */
async function loadAll(subarray) {
  const before = new Set(subarray.procedures.keys());
  const seen = subarray.lastEvent ?? 0;
  const get = (/** @type {string} */ path) => call(subarray.number, "GET", path);
  const [status, procedures, activities, queue, asked] = await Promise.all([
    get("/status"),
    get("/procedures"),
    get("/activities"),
    get("/queue"),
    get("/question"),
  ]);
  subarray.status = status;
  /** @type {Set<number>} */
  const listed = new Set(procedures.procedures.map((/** @type {Procedure} */ each) => each.id));
  // One that is no longer listed is older than those that are, or of another numbering.
  for (const id of before) if (!listed.has(id)) subarray.procedures.delete(id);
  for (const procedure of procedures.procedures) keep(subarray, procedure);
  subarray.activities = new Map(activities.activities.map((/** @type {Activity} */ each) => [each.id, each]));
  subarray.queue = queue;
  subarray.question = asked.question;
  applyAgain(subarray, seen);
  subarray.heard = now();
}

/**
 * Read the status of a controller soon, once for all that asks for it until then.
 *
 * @param {Subarray} subarray
 */
export function loadStatus(subarray) {
  const times = statusTimes.get(subarray) ?? { last: 0, timer: 0 };
  statusTimes.set(subarray, times);
  if (times.timer) return;
  const wait = Math.max(0, times.last + STATUS_PACE - performance.now());
  times.timer = setTimeout(async () => {
    times.last = performance.now();
    times.timer = 0;
    // The page is hidden: it is read when the page is shown.
    if (document.hidden) return;
    try {
      subarray.status = await call(subarray.number, "GET", "/status");
      subarray.heard = now();
      store.changed();
    } catch {
      // The stream says whether the controller answers.
    }
  }, wait);
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

// Health is in no event: it is read again from time to time while the page is shown.
setInterval(() => {
  if (document.hidden || store.state.connection.state !== "open") return;
  for (const subarray of store.state.subarrays.values()) if (subarray.available) loadStatus(subarray);
}, 10_000);

document.addEventListener("visibilitychange", () => {
  for (const subarray of store.state.subarrays.values()) if (subarray.available) loadStatus(subarray);
});

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
