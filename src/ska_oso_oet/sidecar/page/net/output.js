/** The output of a run, as it is written. */

import { stream } from "./sse.js";
import { ApiError, address, call } from "./api.js";

/** @import { OutputPart } from "../types" */

/** Lines that are kept; older ones are counted and dropped. */
export const KEPT_LINES = 200_000;

/** Lines that are read at a time, of those that there are. */
const LARGE = 10_000;

const SILENCE = 40_000;
const PAUSE = 1000;

/** Follows the output of a procedure to its end, also after the connection was lost. */
export class OutputFollower {
  /** @type {string[]} */
  lines = [];
  /** Number of lines before those that are kept. */
  dropped = 0;
  ended = false;
  /** Why there is no output; empty if there is. */
  problem = "";
  #next = 0;
  #end = new AbortController();

  /**
   * @param {number} subarray
   * @param {number} procedure
   * @param {() => void} onchange called after each change
   */
  constructor(subarray, procedure, onchange) {
    this.subarray = subarray;
    this.procedure = procedure;
    this.onchange = onchange;
    this.#follow();
  }

  /** Stop following. What there is stays. */
  close() {
    this.#end.abort();
  }

  /** Go on following after a `close()`. */
  resume() {
    if (!this.#end.signal.aborted) return;
    this.#end = new AbortController();
    this.#follow();
  }

  async #follow() {
    const { signal } = this.#end;
    while (!this.ended && !signal.aborted) {
      try {
        await this.#read(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ApiError && [404, 410].includes(error.status)) {
          this.problem = error.message;
          this.ended = true;
        }
      }
      this.onchange();
      if (!this.ended) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  /** @param {AbortSignal} signal */
  async #read(signal) {
    // What there is comes in large parts, what is written then as it is written.
    for (let part; !this.ended && (part === undefined || part.lines.length === LARGE); ) {
      part = await call(this.subarray, "GET", `/procedures/${this.procedure}/output?after=${this.#next}&limit=${LARGE}`);
      if (signal.aborted) return;
      this.#take(part);
      this.onchange();
    }
    if (this.ended) return;
    const url = address(this.subarray, `/procedures/${this.procedure}/output?after=${this.#next}`);
    for await (const messages of stream(url, signal, SILENCE)) {
      if (signal.aborted) return;
      for (const { type, data } of messages) if (type === "message" && data) this.#take(JSON.parse(data));
      this.onchange();
      if (this.ended) return;
    }
  }

  /** @param {OutputPart} part */
  #take(part) {
    this.dropped += part.dropped;
    for (const line of part.lines) this.lines.push(line);
    if (this.lines.length > KEPT_LINES * 1.1) {
      const excess = this.lines.length - KEPT_LINES;
      this.lines.splice(0, excess);
      this.dropped += excess;
    }
    this.#next = part.next;
    this.ended = part.ended;
  }
}
