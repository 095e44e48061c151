/** Server-sent events over `fetch`: unlike EventSource, this sees heartbeats, refusals and the end at once. */

import { headers, refusal } from "./api.js";

/**
 * One event of a stream. A heartbeat is one of the type "comment".
 *
 * @typedef {{type: string, data: string, id: string | null}} Message
 */

/**
 * Yield what a stream brings, in lists of what has arrived together.
 *
 * Source of the format: WHATWG HTML, 9.2 Server-sent events.
 *
 * @param {string} url
 * @param {AbortSignal} signal ends it
 * @param {number} silence milliseconds without a byte after which the connection counts as lost
 * @returns {AsyncGenerator<Message[]>}
 * @throws {ApiError} if the service refuses the stream
 */
export async function* stream(url, signal, silence) {
  const own = new AbortController();
  const end = () => own.abort();
  signal.addEventListener("abort", end);
  let timer = setTimeout(end, silence);
  try {
    const answer = await fetch(url, {
      headers: { ...headers(), Accept: "text/event-stream" },
      cache: "no-store",
      signal: own.signal,
    });
    if (!answer.ok || !answer.body) throw await refusal(answer);
    const parser = new Parser();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      clearTimeout(timer);
      if (done) return;
      timer = setTimeout(end, silence);
      yield parser.feed(value);
    }
  } finally {
    clearTimeout(timer);
    own.abort();
    signal.removeEventListener("abort", end);
  }
}

/** Cuts the text of a stream into events. */
export class Parser {
  #rest = "";
  #type = "";
  /** @type {string[]} */
  #data = [];
  /** @type {string | null} */
  #id = null;

  /**
   * Take the next part of the text.
   *
   * @param {string} text
   * @returns {Message[]} what is complete by now
   */
  feed(text) {
    const lines = (this.#rest + text).split("\n");
    this.#rest = /** @type {string} */ (lines.pop());
    /** @type {Message[]} */
    const found = [];
    for (const line of lines) this.#take(line, found);
    return found;
  }

  /**
   * @param {string} line
   * @param {Message[]} found
   */
  #take(line, found) {
    if (line === "") {
      if (this.#data.length || this.#id !== null) {
        found.push({ type: this.#type || "message", data: this.#data.join("\n"), id: this.#id });
      }
      this.#type = "";
      this.#data = [];
      this.#id = null;
      return;
    }
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "") found.push({ type: "comment", data: value, id: null });
    else if (name === "data") this.#data.push(value);
    else if (name === "event") this.#type = value;
    else if (name === "id") this.#id = value;
  }
}
