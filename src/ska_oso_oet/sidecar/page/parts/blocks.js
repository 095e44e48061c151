/** Scheduling Blocks in the ODA: a list to search, with a button for each of their activities. */

import { h } from "../dom/h.js";
import { View } from "../dom/view.js";
import { call } from "../net/api.js";
import { clean, counted } from "../text.js";
import { time } from "../time.js";
import { icon } from "./icons.js";

/** @import { SchedulingBlock, SchedulingBlocks } from "../types" */

/** Milliseconds without a key after which the ODA is asked. */
const PAUSE = 300;

/** Milliseconds that the ODA may take. */
const ODA_PATIENCE = 70_000;

class Blocks extends View {
  /** Number of the subarray. */
  number = 0;
  /** Called when a person chooses an activity. @type {(choice: Choice) => void} */
  choose = () => {};
  /** @type {Choice} */
  #chosen = { block: "", activity: "" };
  #search = "";
  /** @type {SchedulingBlocks | null} */
  #found = null;
  #problem = "";
  /** Counts the searches: only the answer to the last one is shown. */
  #asked = 0;
  /** @type {number | undefined} */
  #timer;

  /**
   * The choice that is marked.
   *
   * @param {Choice} choice
   */
  set chosen(choice) {
    const { block, activity } = this.#chosen;
    this.#chosen = choice;
    if (choice.block !== block || choice.activity !== activity) this.refresh();
  }

  /** @override */
  attached() {
    this.#load();
  }

  /** @override */
  detached() {
    clearTimeout(this.#timer);
    this.#asked += 1;
  }

  async #load() {
    clearTimeout(this.#timer);
    const asked = ++this.#asked;
    let found = null;
    let problem = "";
    try {
      found = await call(this.number, "GET", `/sbds?query=${encodeURIComponent(this.#search.trim())}`, undefined, ODA_PATIENCE);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    if (asked !== this.#asked) return;
    this.#found = found;
    this.#problem = problem;
    this.refresh();
  }

  /** @override */
  view() {
    const found = this.#found;
    if (found?.cannot_list) return h("p", { class: "empty" }, "The list is not available. Type the ID into the form. ", clean(`Reason: ${found.cannot_list}.`));
    return [
      h(
        "div",
        { key: "tools", class: "toolbar" },
        h("label", { class: "search" }, icon("search"), h("span", { class: "for-readers" }, "Search by ID"), h("input", { type: "search", placeholder: "Search by ID", maxlength: "128", oninput: this.#typed })),
        h("span", { class: "note", role: "status" }, found ? counted(found.sbds.length, "block") : this.#problem ? "" : "Searching…"),
        h("button", { type: "button", class: "button small", onclick: () => this.#load() }, "Read again"),
      ),
      this.#problem ? h("p", { key: "problem", class: "empty" }, clean(this.#problem)) : null,
      found && !found.sbds.length ? h("p", { key: "none", class: "empty" }, "None found.") : null,
      found?.sbds.length ? h("ul", { key: "blocks", class: "choices blocks" }, found.sbds.map((block) => this.#item(block))) : null,
      found?.more ? h("p", { key: "more", class: "empty" }, "There are more: type a longer part of the ID.") : null,
    ];
  }

  /** @param {SchedulingBlock} block */
  #item(block) {
    const omitted = block.activities_omitted;
    return h(
      "li",
      { key: block.sbd_id },
      h("b", null, block.sbd_id),
      h("small", null, `version ${block.version}, `, time(block.changed)),
      block.defect ? h("p", { class: "why" }, clean(block.defect)) : null,
      block.activities.length ? h("div", { class: "actions" }, block.activities.map((name) => this.#button(block, name))) : null,
      !block.defect && !block.activities.length ? h("small", null, "It has no activities.") : null,
      omitted ? h("small", null, `and ${omitted} more: type the name`) : null,
    );
  }

  /**
   * @param {SchedulingBlock} block
   * @param {string} activity
   */
  #button(block, activity) {
    const chosen = this.#chosen;
    return h(
      "button",
      {
        key: activity,
        type: "button",
        class: "button small",
        "aria-label": clean(`${activity} of ${block.sbd_id}`),
        "aria-pressed": chosen.block === block.sbd_id && chosen.activity === activity ? "true" : "false",
        onclick: () => this.choose({ block: block.sbd_id, activity }),
      },
      clean(activity),
    );
  }

  #typed = (/** @type {Event} */ event) => {
    this.#search = /** @type {HTMLInputElement} */ (event.target).value;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#load(), PAUSE);
  };
}

/**
 * An activity of a Scheduling Block.
 *
 * @typedef {{block: string, activity: string}} Choice
 */

customElements.define("oet-blocks", Blocks);
