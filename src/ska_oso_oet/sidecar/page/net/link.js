/** Keeps the store up to date: first what is, by REST; then what happens, by one stream for all controllers. */

import { store } from "../store/store.js";
import { apply, applyPast } from "../store/events.js";
import { now } from "../time.js";
import { ApiError, address, call } from "./api.js";
import { load, loadAll, loadQuestion } from "./snapshot.js";
import { stream } from "./sse.js";
import { lookForUpdate } from "./update.js";

/** @import { OetEvent, Subarray } from "../types" */
/** @import { Message } from "./sse.js" */

/** Milliseconds between two attempts to connect: the first ones, then the last for good. */
const PAUSES = [200, 500, 1000, 2000];

/** Milliseconds between two attempts while this page has no right to look: a login ends the wait. */
const REFUSED = 30_000;

/** How many events that have happened before are shown. */
const PAST = 500;

/** Milliseconds without a byte after which the connection is lost: there is a heartbeat every 15 s. */
const SILENCE = 40_000;

class Link {
  #attempts = 0;
  /** @type {AbortController} */
  #end = new AbortController();
  #wake = () => {};

  /** Connect, and stay connected as long as the page is open. */
  async run() {
    addEventListener("online", () => this.again());
    for (;;) {
      try {
        await this.#connectOnce();
        store.connect("lost", "The service has closed the connection.");
      } catch (error) {
        this.#note(error);
      }
      await this.#pause();
    }
  }

  /** Connect again now: rights have changed, or there is a network again. */
  again() {
    this.#attempts = 0;
    this.#end.abort();
    this.#wake();
  }

  async #connectOnce() {
    this.#end = new AbortController();
    const messages = stream(this.#url(), this.#end.signal, SILENCE);
    // All three at once: the first view needs them.
    const first = messages.next();
    first.catch(() => {});
    try {
      await Promise.all([this.#identify(), loadAll()]);
      store.changed();
      const reader = new Reader();
      for (let part = await first; !part.done; part = await messages.next()) {
        if (store.state.connection.state !== "open") this.#connected();
        this.#attempts = 0;
        reader.take(part.value);
      }
    } finally {
      this.#end.abort();
    }
  }

  #connected() {
    const again = store.state.connection.state === "lost";
    store.connect("open");
    // The service may have been replaced meanwhile.
    if (again) lookForUpdate();
  }

  async #identify() {
    store.state.session = await call(null, "GET", "/session");
  }

  #url() {
    const known = [...store.state.subarrays.values()].filter((subarray) => subarray.lastEvent !== null);
    const query = known.map((subarray) => `&after=${subarray.number}:${subarray.lastEvent}`);
    return address(null, `/subarrays/stream?past=${PAST}${query.join("")}`);
  }

  /** @param {unknown} error */
  #note(error) {
    const refused = error instanceof ApiError && [401, 403].includes(error.status);
    if (refused) store.connect("refused", error.message);
    else {
      const reason = error instanceof ApiError && error.status ? error.message : "The service cannot be reached.";
      store.connect("lost", `${reason} This page connects again by itself.`);
    }
  }

  async #pause() {
    const refused = store.state.connection.state === "refused";
    const pause = refused ? REFUSED : PAUSES[Math.min(this.#attempts, PAUSES.length - 1)];
    this.#attempts += 1;
    await new Promise((resolve) => {
      this.#wake = () => resolve(undefined);
      setTimeout(this.#wake, pause);
    });
  }
}

/** Takes what the stream brings. */
class Reader {
  /** @type {Subarray | undefined} */
  #current;

  /** @param {Message[]} messages */
  take(messages) {
    for (const message of messages) {
      if (message.type === "subarray") this.#current = store.subarray(Number(message.data));
      else if (this.#current) this.#takeFor(this.#current, message);
    }
    store.changed();
  }

  /**
   * @param {Subarray} subarray
   * @param {Message} message
   */
  #takeFor(subarray, message) {
    if (message.type === "available") setAvailable(subarray, message.data === "true");
    else if (message.type === "status") subarray.status = JSON.parse(message.data);
    // A heartbeat of a controller that answers is empty.
    else if (message.type === "comment" && !message.data) subarray.heard = now();
    // An event without a number reports only a request.
    else if (message.type !== "message" || message.id === null) return;
    else if (message.data) takeEvent(subarray, JSON.parse(message.data));
    else begin(subarray, Number(message.id));
  }
}

/**
 * @param {Subarray} subarray
 * @param {number} after number of the event after which the stream begins
 */
function begin(subarray, after) {
  subarray.lastEvent ??= after;
  // More has happened since the state was read than the stream begins with.
  if (subarray.loaded && subarray.lastEvent > subarray.readUntil) load(subarray);
}

/**
 * @param {Subarray} subarray
 * @param {boolean} available
 */
function setAvailable(subarray, available) {
  const before = subarray.available;
  subarray.available = available;
  if (available) Object.assign(subarray, { heard: now(), unavailable: null });
  if (before !== available) subarray.availableSince = now();
  // What was alive may have ended with its server, and events do not say so; nor why a controller is gone.
  if (before !== available || (available && !subarray.loaded)) load(subarray);
}

/**
 * @param {Subarray} subarray
 * @param {OetEvent} event
 */
function takeEvent(subarray, event) {
  const last = subarray.lastEvent;
  if (last !== null && event.seq !== last + 1) {
    // Numbers restart after the state of a controller was removed, and are left out where events are no
    // longer kept: what is known is to be read again.
    if (event.seq <= last) Object.assign(subarray, { events: [], readUntil: 0 });
    load(subarray);
  }
  if (event.seq <= subarray.readUntil) return applyPast(subarray, event);
  const asked = subarray.question;
  apply(subarray, event);
  if (asked !== null && subarray.question === null) loadQuestion(subarray);
  return undefined;
}

export const link = new Link();
