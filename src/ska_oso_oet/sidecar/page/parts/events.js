/** The events of a subarray, one line each, newest last. */

import { create, h } from "../dom/h.js";
import { VirtualList } from "../dom/virtual_list.js";
import { store } from "../store/store.js";
import { clean, counted, plain, shorten } from "../text.js";
import { utc } from "../time.js";

/** @import { OetEvent } from "../types" */

/** Fields that each event has: they are not what it says. */
const COMMON = new Set(["seq", "time", "topic", "msg_src", "request_id"]);

class Events extends HTMLElement {
  /** Number of the subarray. */
  number = 0;
  /** ID of the only procedure whose events are shown; null for all. @type {number | null} */
  procedure = null;
  #filter = "";
  /** @type {OetEvent[]} */
  #shown = [];
  /** @type {VirtualList<HTMLElement> | null} */
  #list = null;
  #unsubscribe = () => {};

  connectedCallback() {
    if (!this.firstChild) this.#build();
    this.#unsubscribe = store.subscribe(() => this.#draw());
    this.#draw();
  }

  disconnectedCallback() {
    this.#unsubscribe();
  }

  #build() {
    const filter = (/** @type {Event} */ event) => {
      this.#filter = /** @type {HTMLInputElement} */ (event.target).value.toLowerCase();
      this.#draw();
    };
    this.append(
      create(
        h(
          "div",
          { class: "toolbar" },
          h("h3", null, "Events"),
          h("span", { class: "note", role: "status" }),
          h(
            "label",
            { class: "search" },
            h("span", { class: "for-readers" }, "Show only events whose topic or text contains"),
            h("input", { type: "search", placeholder: "Topic or text", oninput: filter }),
          ),
        ),
      ),
      create(h("div", { class: "log events", role: "region", "aria-label": "Events", tabindex: "0" })),
    );
    const log = /** @type {HTMLElement} */ (this.querySelector(".log"));
    this.#list = new VirtualList(log, newRow, (row, index) => fillRow(row, /** @type {OetEvent} */ (this.#shown[index])));
  }

  #draw() {
    const all = store.subarray(this.number)?.events ?? [];
    const mine = this.procedure === null ? all : all.filter((event) => event.msg_src === String(this.procedure));
    this.#shown = this.#filter ? mine.filter((event) => lineOf(event).toLowerCase().includes(this.#filter)) : mine;
    this.#list?.resize(this.#shown.length);
    const begins = all[0]?.time;
    const procedure = this.procedure === null ? undefined : store.subarray(this.number)?.procedures.get(this.procedure);
    const older = procedure && (begins === undefined || procedure.created < begins - 1);
    const note = /** @type {HTMLElement} */ (this.querySelector(".note"));
    const text = this.#shown.length === mine.length ? counted(mine.length, "event") : `${counted(this.#shown.length, "event")} of ${mine.length}`;
    const shown = older ? `${text} (older ones are in what is saved of the run)` : text;
    if (note.textContent !== shown) note.textContent = shown;
  }
}

/** Cached texts of events, which never change. @type {WeakMap<OetEvent, string>} */
const lines = new WeakMap();

/**
 * Return an event as one line, without its time.
 *
 * @param {OetEvent} event
 */
export function lineOf(event) {
  const known = lines.get(event);
  if (known !== undefined) return known;
  const line = `${event.topic} ${textOf(event)}`;
  lines.set(event, line);
  return line;
}

/**
 * Return what an event says, in one line.
 *
 * @param {OetEvent} event
 */
function textOf(event) {
  if (event.topic.startsWith("procedure.lifecycle.") && event.result?.id) return `#${event.result.id} ${event.result.state}`;
  if (event["new_state"]) return `${event.msg_src && /^\d+$/.test(event.msg_src) ? `#${event.msg_src} ` : ""}${clean(event["new_state"])}${event["reason"] ? `: ${clean(event["reason"])}` : ""}`;
  if (event.topic === "procedure.checkpoint.passed") return clean(event["checkpoint"]);
  if (event.topic.startsWith("procedure.question.") && event["question"]) {
    const { text, answer } = event["question"];
    return `${clean(text)}${answer === null || answer === undefined ? "" : ` → ${plain(answer)}`}`;
  }
  if (event.topic === "user.script.progress") {
    return `${Math.round(Number(event["progress"]))} %${event["msg"] ? ` ${clean(event["msg"]).replaceAll("\n", " ⏎ ")}` : ""}`;
  }
  if (event.topic.startsWith("queue.entry.") && event["result"]) return `entry ${event["entry_id"]} ${clean(event["result"].state)}`;
  const fields = Object.entries(event).filter(([name, value]) => !COMMON.has(name) && value !== null);
  const texts = fields.map(([name, value]) => (name === "msg" ? plain(value) : `${clean(name)}=${plain(value)}`));
  return shorten(texts.join(" ").replaceAll("\n", " ⏎ "), 500);
}

function newRow() {
  return create(h("div", null, h("time"), h("span", { class: "topic" }), h("span", { class: "text" })));
}

/**
 * @param {HTMLElement} row
 * @param {OetEvent} event
 */
function fillRow(row, event) {
  if (row.dataset["seq"] === String(event.seq)) return;
  row.dataset["seq"] = String(event.seq);
  const [time, topic, text] = /** @type {any} */ (row.children);
  const date = new Date(event.time * 1000);
  time.textContent = utc(event.time);
  time.dateTime = date.toISOString();
  time.title = `${date.toISOString()} · local time ${date.toLocaleString("en-GB")}`;
  topic.textContent = clean(event.topic);
  text.textContent = textOf(event);
}

customElements.define("oet-events", Events);
