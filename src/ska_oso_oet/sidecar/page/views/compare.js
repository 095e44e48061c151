/** Two runs side by side: in what they differ. */

import { h } from "../dom/h.js";
import { View } from "../dom/view.js";
import { call } from "../net/api.js";
import { to } from "../router.js";
import { requesterName, times } from "../store/subarray.js";
import { clean, plain } from "../text.js";
import { duration, utc } from "../time.js";
import { look } from "../parts/states.js";

/** @import { Procedure } from "../types" */

/** Compared facts, by name. @typedef {Map<string, string>} Facts */

class Compare extends View {
  /** Number of the subarray. */
  number = 0;
  /** IDs of the two runs. @type {number[]} */
  ids = [];
  /** @type {Facts[]} */
  #facts = [];
  #problem = "";
  #all = false;

  /** @override */
  attached() {
    this.#load();
  }

  async #load() {
    try {
      this.#facts = await Promise.all(this.ids.map((id) => this.#read(id)));
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
    }
    this.refresh();
  }

  /** @param {number} id */
  async #read(id) {
    const { procedure } = await call(this.number, "GET", `/procedures/${id}`);
    // Of an old run, or of one that was never prepared, packages are not known.
    const environment = await call(this.number, "GET", `/procedures/${id}/environment`).catch(() => null);
    return factsOf(procedure, environment);
  }

  /** @override */
  view() {
    const [one, other] = this.#facts;
    if (this.#problem) return h("p", { class: "empty", role: "alert" }, clean(this.#problem));
    if (!one || !other) return h("p", { class: "empty" }, "…");
    const names = [...new Set([...one.keys(), ...other.keys()])];
    const different = names.filter((name) => one.get(name) !== other.get(name));
    const shown = this.#all ? names : different;
    const toggle = () => {
      this.#all = !this.#all;
      this.refresh();
    };
    return h(
      "section",
      { class: "card" },
      h("h2", null, `#${this.ids[0]} and #${this.ids[1]} differ in ${different.length} of ${names.length}`),
      h("p", { class: "actions" }, h("a", { href: to(this.number, "history") }, "Back to all runs"), h("label", { class: "check" }, h("input", { type: "checkbox", ".checked": this.#all, onchange: toggle }), "Show what is the same, too")),
      h(
        "div",
        { class: "scrolls", tabindex: "0", role: "region", "aria-label": "Comparison" },
        h(
          "table",
          { class: "history compare" },
          h("thead", null, h("tr", null, h("th", { scope: "col" }, "What"), this.ids.map((id, place) => h("th", { key: place, scope: "col" }, h("a", { href: to(this.number, "runs", id) }, `#${id}`))))),
          h(
            "tbody",
            null,
            shown.map((name) =>
              h("tr", { key: name, class: different.includes(name) ? "different" : "" }, h("th", { scope: "row" }, clean(name)), h("td", null, one.get(name) ?? "–"), h("td", null, other.get(name) ?? "–")),
            ),
          ),
        ),
      ),
    );
  }
}

/**
 * @param {Procedure} procedure
 * @param {any} environment
 * @returns {Facts}
 */
function factsOf(procedure, environment) {
  const { script, history } = procedure;
  const { began, ended } = times(procedure);
  /** @type {[string, unknown][]} */
  const found = [
    ["Script", script.script_uri ?? "embedded"],
    ["Text (SHA-256)", procedure.script_sha256],
    ["Repository", script.git_args?.git_repo],
    ["Commit", procedure.commit],
    ["State", look(procedure.state).word],
    ["Began", began === null ? null : utc(began)],
    ["Ran for", began === null || ended === null ? null : duration(ended - began)],
    ["Failure", history.stacktrace?.trimEnd().split("\n").at(-1)],
    ["Result", procedure.result],
    ["Requested by", procedure.requested_by && requesterName(procedure.requested_by)],
    ["Python", environment?.python],
  ];
  for (const [name, given] of Object.entries(procedure.script_args)) {
    given.args.forEach((value, place) => found.push([`${name}: ${place + 1}.`, value]));
    for (const [key, value] of Object.entries(given.kwargs)) found.push([`${name}: ${key}`, value]);
  }
  for (const [name, version] of Object.entries(environment?.packages ?? {})) found.push([`package ${name}`, version]);
  for (const { name, size } of procedure.files) found.push([`file ${name}`, `${size} bytes`]);
  return new Map(found.filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => [name, plain(value)]));
}

customElements.define("oet-compare", Compare);
