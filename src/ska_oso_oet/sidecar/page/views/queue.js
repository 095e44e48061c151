/** The queue of a subarray: its entries in their order, and what runs them. */

import { h } from "../dom/h.js";
import { View } from "../dom/view.js";
import { call } from "../net/api.js";
import { to } from "../router.js";
import { store } from "../store/store.js";
import { waiting } from "../store/subarray.js";
import { clean } from "../text.js";
import { now } from "../time.js";
import { action, refusal } from "../parts/action.js";
import { confirm } from "../parts/dialogs.js";
import { complain } from "../parts/messages.js";
import { entryRow, nameOfEntry, place } from "../parts/queue_entry.js";
import { badge, look } from "../parts/states.js";
import { timeline } from "../parts/timeline.js";

/** @import { Queue, QueueEntry, ShownEntry, Subarray } from "../types" */

/** Milliseconds between two times that the estimates are read. */
const PACE = 1000;
const LATELY = 10;

class QueueView extends View {
  /** Number of the subarray. */
  number = 0;
  rest = "";
  /** Expected times of the entries, by their ID. @type {Map<number, ShownEntry>} */
  #expected = new Map();
  /** The queue that this was read for. @type {Queue | null} */
  #seen = null;
  #read = 0;
  #dragged = 0;

  /** @override */
  view() {
    const subarray = store.subarray(this.number);
    if (!subarray?.loaded || !subarray.queue) return h("p", { class: "empty" }, "…");
    this.#estimate(subarray);
    const { queue } = subarray;
    const entries = waiting(subarray);
    const ended = queue.entries.filter((each) => !entries.includes(each)).slice(-LATELY).reverse();
    return [
      this.#head(subarray, queue, entries),
      this.#timeline(entries),
      entries.length
        ? h("ol", { key: "entries", class: "queue card", "aria-label": "Entries in their order" }, entries.map((each) => this.#row(subarray, each, entries)))
        : h("p", { key: "empty", class: "empty" }, "The queue is empty. Add ", h("a", { href: to(subarray.number, "scripts") }, "a script"), " or ", h("a", { href: to(subarray.number, "activities") }, "an activity"), "."),
      ended.length
        ? h("section", { key: "ended", class: "card" }, h("h3", null, "Lately"), h("ul", { class: "queue" }, ended.map((each) => this.#row(subarray, each, entries))))
        : null,
    ];
  }

  /**
   * @param {Subarray} subarray
   * @param {Queue} queue
   * @param {QueueEntry[]} entries
   */
  #head(subarray, queue, entries) {
    const refused = refusal(subarray);
    const { number } = subarray;
    const goes = queue.state !== "STOPPED";
    const runs = entries.find((each) => each.state === "RUNNING");
    const set = (/** @type {object} */ body) => async () => {
      await call(number, "PUT", "/queue", body);
    };
    return h(
      "header",
      { key: "head", class: "card queue-head" },
      badge(look(queue.state), "solid"),
      h("p", { class: "why" }, queue.reason ? clean(queue.reason) : goes ? "Entries run one after the other." : "No entry begins until the queue is started."),
      h(
        "div",
        { class: "actions" },
        queue.state === "RUNNING" || queue.state === "PAUSED"
          ? action({ name: `queue stop ${number}`, label: "Stop after this entry", picture: "stop", refused, run: set({ state: "STOPPED" }) })
          : action({ name: `queue start ${number}`, label: "Start the queue", picture: "play", kind: "primary", refused, run: set({ state: "RUNNING" }) }),
        action({
          name: `queue now ${number}`,
          label: "Stop now",
          picture: "abort",
          kind: "danger",
          refused: refused ?? (runs ? null : "No entry of the queue runs."),
          run: async () => {
            const agreed = runs && (await confirm(`Stop ${nameOfEntry(runs)} and the queue of subarray ${number}?`, "The script is interrupted where it is, and no further entry begins.", "Stop now"));
            return agreed ? set({ state: "STOPPED", now: true })() : null;
          },
        }),
        action({
          name: `queue clear ${number}`,
          label: "Remove all",
          picture: "cross",
          kind: "danger",
          refused: refused ?? (entries.some((each) => each.state === "WAITING") ? null : "No entry waits."),
          run: async () => {
            const count = entries.filter((each) => each.state === "WAITING").length;
            const agreed = await confirm(`Remove ${count} waiting entries from the queue of subarray ${number}?`, "Running scripts continue. The entries cannot be brought back.", "Remove all");
            if (agreed) await call(number, "DELETE", "/queue");
          },
        }),
      ),
    );
  }

  /**
   * Read what is expected, when the queue has changed.
   *
   * @param {Subarray} subarray
   */
  async #estimate(subarray) {
    if (this.#seen === subarray.queue || performance.now() < this.#read + PACE) return;
    this.#seen = subarray.queue;
    this.#read = performance.now();
    try {
      const { entries } = await call(subarray.number, "GET", "/queue");
      this.#expected = new Map(entries.map((/** @type {ShownEntry} */ each) => [each.id, each]));
      this.refresh();
    } catch {
      // The connection is shown as lost, or the controller as unavailable.
    }
  }

  /** @param {QueueEntry[]} entries */
  #timeline(entries) {
    const known = entries.map((each) => this.#expected.get(each.id)).filter((each) => each?.estimated_start && each.estimated_end);
    const shown = /** @type {ShownEntry[]} */ (known).slice(0, 12);
    if (!shown.length) return null;
    const end = Math.max(...shown.map((each) => each.estimated_end ?? 0), now() + 60);
    const lines = shown.map((each) => ({
      key: each.id,
      label: `${each.id} ${nameOfEntry(each)}`,
      bars: [{ from: each.estimated_start ?? 0, to: each.estimated_end ?? 0, tone: look(each.state).tone, title: `${nameOfEntry(each)}: ${place(each)}`, sure: false }],
    }));
    return h("figure", { key: "timeline", class: "card" }, h("figcaption", null, "Expected, by earlier runs (UTC)"), timeline("When the entries are expected to run", lines, { from: now() - 30, to: end, now: now() }));
  }

  /**
   * @param {Subarray} subarray
   * @param {QueueEntry} entry
   * @param {QueueEntry[]} entries
   */
  #row(subarray, entry, entries) {
    const refused = refusal(subarray);
    const movable = entry.state === "WAITING" && refused === null;
    const drop = (/** @type {DragEvent} */ event) => {
      event.preventDefault();
      if (this.#dragged && this.#dragged !== entry.id) move(subarray, this.#dragged, { before: entry.id });
      this.#dragged = 0;
    };
    return h(
      "li",
      {
        key: entry.id,
        class: `entry tone-${look(entry.state).tone}`,
        draggable: movable ? "true" : null,
        tabindex: movable ? "0" : null,
        "aria-label": `Entry ${entry.id}: ${nameOfEntry(entry)}, ${look(entry.state).word}`,
        "aria-keyshortcuts": movable ? "Alt+ArrowUp Alt+ArrowDown" : null,
        ondragstart: () => {
          this.#dragged = entry.id;
        },
        ondragover: entry.state === "WAITING" ? (/** @type {DragEvent} */ event) => event.preventDefault() : null,
        ondrop: entry.state === "WAITING" ? drop : null,
        onkeydown: movable ? (/** @type {KeyboardEvent} */ event) => pressed(event, subarray, entry, entries) : null,
      },
      entryRow(subarray, entry, this.#expected.get(entry.id), neighbours(entry, entries)),
    );
  }
}

/**
 * Return the entries before and behind one that can change places with it.
 *
 * @param {QueueEntry} entry
 * @param {QueueEntry[]} entries
 */
function neighbours(entry, entries) {
  const waits = entries.filter((each) => each.state === "WAITING");
  const at = waits.indexOf(entry);
  return { before: at > 0 ? waits[at - 1] : undefined, behind: at < 0 ? undefined : waits[at + 1] };
}

/**
 * @param {KeyboardEvent} event
 * @param {Subarray} subarray
 * @param {QueueEntry} entry
 * @param {QueueEntry[]} entries
 */
function pressed(event, subarray, entry, entries) {
  if (!event.altKey || event.target !== event.currentTarget) return;
  const { before, behind } = neighbours(entry, entries);
  if (event.key === "ArrowUp" && before) move(subarray, entry.id, { before: before.id });
  else if (event.key === "ArrowDown" && behind) move(subarray, entry.id, { after: behind.id });
  else return;
  event.preventDefault();
}

/**
 * @param {Subarray} subarray
 * @param {number} id
 * @param {unknown} position
 */
async function move(subarray, id, position) {
  try {
    await call(subarray.number, "PUT", `/queue/${id}`, { position });
  } catch (error) {
    complain(error);
  }
}

customElements.define("oet-queue", QueueView);
