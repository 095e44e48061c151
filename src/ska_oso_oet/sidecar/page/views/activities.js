/** Activities of Scheduling Blocks: a list of those in the ODA, a form to run one or to queue it, and those that were run. */

import { create, h } from "../dom/h.js";
import { View } from "../dom/view.js";
import { call } from "../net/api.js";
import { to } from "../router.js";
import { store } from "../store/store.js";
import { clean } from "../text.js";
import { time } from "../time.js";
import { action, refusal } from "../parts/action.js";
import "../parts/arguments.js";
import "../parts/blocks.js";
import { entryFields, entryOptions } from "../parts/entry_options.js";
import { enqueue, occupied } from "../parts/launch.js";
import { badge, look } from "../parts/states.js";

/** @import { ArgumentsElement } from "../parts/arguments.js" */
/** @import { Choice } from "../parts/blocks.js" */
/** @import { Activity, Subarray } from "../types" */

/** Milliseconds that a request may take: the Scheduling Block is fetched first. */
const FETCH_PATIENCE = 60_000;

const BY_NAME = { type: "object", properties: {}, required: [], additionalProperties: true };

class Activities extends View {
  /** Number of the subarray. */
  number = 0;
  rest = "";
  #form = /** @type {HTMLFormElement} */ (create(h("form", { class: "activity-form", onsubmit: (/** @type {Event} */ event) => event.preventDefault(), oninput: () => this.refresh() }, fields())));
  #arguments = /** @type {ArgumentsElement} */ (create(h("oet-arguments")));
  #missing = "";

  /** @override */
  attached() {
    const unknown = { doc: null, parameters: BY_NAME };
    this.#arguments.begin({ init: unknown, main: unknown }, {});
    this.#form.querySelector(".place-of-form")?.append(this.#arguments);
  }

  /** @override */
  refresh() {
    super.refresh();
    const place = this.querySelector(".place-of-activity");
    if (place && this.#form.parentElement !== place) place.append(this.#form);
  }

  /** @override */
  view() {
    const subarray = store.subarray(this.number);
    if (!subarray?.loaded) return h("p", { class: "empty" }, "…");
    const activities = [...subarray.activities.values()].sort((one, other) => other.id - one.id);
    return h(
      "div",
      { class: "two" },
      h("section", { key: "blocks", class: "card chooser" }, h("h2", null, "Scheduling Blocks"), h("oet-blocks", { ".number": this.number, ".chosen": this.#given(), ".choose": this.#choose })),
      h(
        "div",
        { key: "activity", class: "stack" },
        h(
          "section",
          { key: "form", class: "card script" },
          h("h2", null, "Run an activity"),
          h("div", { key: "place", class: "place-of-activity" }),
          this.#missing ? h("p", { key: "missing", class: "reason", role: "alert" }, this.#missing) : null,
          h("div", { key: "actions", class: "actions" }, this.#buttons(subarray)),
        ),
        h(
          "section",
          { key: "list", class: "card runs" },
          h("h3", null, "Lately"),
          activities.length ? h("ul", null, activities.map((each) => row(subarray, each))) : h("p", { class: "quiet" }, "No activity has been run."),
        ),
      ),
    );
  }

  /** @param {Subarray} subarray */
  #buttons(subarray) {
    const refused = refusal(subarray);
    const { number } = subarray;
    return [
      action({
        name: `activity run ${number}`,
        label: "Run now",
        picture: "play",
        kind: "primary",
        refused: refused ?? occupied(subarray),
        run: async () => {
          const wanted = this.#wanted();
          if (!wanted) return null;
          const { activity } = await call(number, "POST", "/activities", wanted, FETCH_PATIENCE);
          return `Activity ${activity.id}, ${activity.activity_name}, was requested.`;
        },
      }),
      action({
        name: `activity queue ${number}`,
        label: "Add to the queue",
        picture: "list",
        refused,
        run: async () => {
          const wanted = this.#wanted();
          return wanted ? enqueue(subarray, { activity: wanted }, entryOptions(new FormData(this.#form))) : null;
        },
      }),
    ];
  }

  /**
   * Return what stands in the form.
   *
   * @returns {Choice}
   */
  #given() {
    const data = new FormData(this.#form);
    const text = (/** @type {string} */ name) => String(data.get(name) ?? "").trim();
    return { block: text("block"), activity: text("activity") };
  }

  #choose = (/** @type {Choice} */ choice) => {
    for (const name of /** @type {const} */ (["block", "activity"])) {
      /** @type {HTMLInputElement} */ (this.#form.elements.namedItem(name)).value = choice[name];
    }
    this.#missing = "";
    this.refresh();
    this.#form.scrollIntoView({ block: "nearest" });
  };

  /** Return the request; null if something is missing, which is shown then. */
  #wanted() {
    const { block, activity: activity_name } = this.#given();
    const script_args = this.#arguments.value();
    this.#missing = !block ? "Give the Scheduling Block." : !activity_name ? "Give the name of the activity." : "";
    this.refresh();
    if (this.#missing || !script_args) return null;
    const named = block.includes("://") ? { sbd_uri: block } : { sbd_id: block };
    const given = Object.fromEntries(Object.entries(script_args).filter(([, each]) => Object.keys(each.kwargs).length));
    return { ...named, activity_name, script_args: given };
  }
}

function fields() {
  return [
    h("label", { class: "field" }, h("span", null, "Scheduling Block"), h("input", { name: "block", autocomplete: "off", spellcheck: "false", placeholder: "sbd-123" }), h("small", null, "ID, or URI: oda://sbd-123/2, file:///…json")),
    h("label", { class: "field" }, h("span", null, "Activity"), h("input", { name: "activity", autocomplete: "off", spellcheck: "false", placeholder: "allocate" })),
    h("details", null, h("summary", null, "Arguments that replace those of the Scheduling Block"), h("div", { class: "place-of-form" })),
    h("details", null, h("summary", null, "Options for the queue"), entryFields()),
  ];
}

/**
 * @param {Subarray} subarray
 * @param {Activity} activity
 */
function row(subarray, activity) {
  const last = activity.activity_states.at(-1);
  return h(
    "li",
    { key: activity.id },
    badge(look(activity.state)),
    h("span", null, clean(`${activity.activity_name} of ${activity.sbd_id}`), h("span", { class: "id" }, ` A${activity.id}`)),
    last ? h("span", { class: "when" }, time(last[1])) : null,
    activity.procedure_id === null ? null : h("a", { href: to(subarray.number, "runs", activity.procedure_id) }, `#${activity.procedure_id}`),
    activity.reason ? h("p", { class: "why" }, clean(activity.reason)) : null,
  );
}

customElements.define("oet-activities", Activities);
