/** The state of the page: the only place that holds it. Elements render from it and change nothing in it. */

import { now } from "../time.js";

/** @import { State, Subarray, Connection } from "../types" */

/** Milliseconds between two times that elements render, however many events there are. */
const PACE = 100;

class Store {
  /** @type {State} */
  state = {
    connection: { state: "connecting", since: now(), reason: "" },
    session: null,
    outdated: false,
    subarrays: new Map(),
  };

  /** @type {Set<() => void>} */
  #listeners = new Set();
  #timer = 0;
  #last = 0;

  /**
   * Have a function called after changes of the state.
   *
   * @param {() => void} listener
   * @returns {() => void} ends that
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Say that the state has changed. Listeners are called soon, once for all changes until then. */
  changed() {
    if (this.#timer) return;
    const wait = Math.max(0, this.#last + PACE - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      this.#last = performance.now();
      for (const listener of [...this.#listeners]) listener();
    }, wait);
  }

  /**
   * Return a subarray, if it is served.
   *
   * @param {number | null} number
   * @returns {Subarray | undefined}
   */
  subarray(number) {
    return number === null ? undefined : this.state.subarrays.get(number);
  }

  /**
   * Note how the connection to the service is.
   *
   * @param {Connection["state"]} state
   * @param {string} [reason] why, for people
   */
  connect(state, reason = "") {
    const { connection } = this.state;
    const since = connection.state === state ? connection.since : now();
    this.state.connection = { state, since, reason };
    this.changed();
  }
}

export const store = new Store();

// Durations and ages grow by themselves.
setInterval(() => store.changed(), 1000);
