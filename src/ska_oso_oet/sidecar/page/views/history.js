/** The runs of a subarray: found by state, script, text and time, over time as a picture, and compared. */

import { create, h } from "../dom/h.js";
import { View } from "../dom/view.js";
import { call } from "../net/api.js";
import { to } from "../router.js";
import { store } from "../store/store.js";
import { hasEnded, requesterName, scriptName, times } from "../store/subarray.js";
import { clean, counted } from "../text.js";
import { duration, now, time, utc } from "../time.js";
import { icon } from "../parts/icons.js";
import { badge, look, lookOf } from "../parts/states.js";
import { timeline } from "../parts/timeline.js";

/** @import { Procedure, Subarray } from "../types" */
/** @import { Line } from "../parts/timeline.js" */

const PAGE = 50;
const STATES = ["COMPLETE", "FAILED", "STOPPED", "UNKNOWN", "RUNNING", "PAUSED", "READY"];
const SPANS = [1, 3, 12, 24];

class History extends View {
  /** Number of the subarray. */
  number = 0;
  /** "compare/3/7" to compare two runs. */
  rest = "";
  /** @type {Procedure[]} */
  #found = [];
  #more = false;
  #problem = "";
  #hours = 3;
  /** @type {number[]} */
  #chosen = [];
  #filter = /** @type {HTMLFormElement} */ (create(h("form", { class: "filter", role: "search", "aria-label": "Find runs" }, filterFields())));
  #newest = 0;

  /** @override */
  attached() {
    this.#filter.onsubmit = (event) => {
      event.preventDefault();
      this.#search();
    };
    this.#filter.onchange = () => this.#search();
    this.#search();
  }

  /** @param {number} [before] ID of a procedure, to read on */
  async #search(before) {
    const data = new FormData(this.#filter);
    const query = new URLSearchParams({ limit: String(PAGE) });
    for (const name of ["state", "script", "text"]) {
      const value = String(data.get(name) ?? "").trim();
      if (value) query.set(name, value);
    }
    for (const name of ["since", "until"]) {
      const value = String(data.get(name) ?? "");
      if (value) query.set(name, `${value}Z`);
    }
    if (before) query.set("before", String(before));
    try {
      /** @type {{procedures: Procedure[]}} */
      const { procedures } = await call(this.number, "GET", `/procedures?${query}`);
      procedures.sort((one, other) => other.id - one.id);
      this.#found = before ? [...this.#found, ...procedures] : procedures;
      this.#more = procedures.length === PAGE;
      this.#problem = "";
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
    }
    this.refresh();
  }

  /** @override */
  refresh() {
    super.refresh();
    const place = this.querySelector(".place-of-filter");
    if (place && this.#filter.parentElement !== place) place.append(this.#filter);
  }

  /** @override */
  view() {
    const subarray = store.subarray(this.number);
    if (!subarray?.loaded) return h("p", { class: "empty" }, "…");
    const compared = /^compare\/(\d+)\/(\d+)$/.exec(this.rest);
    if (compared) {
      return h("oet-compare", { key: this.rest, ".number": this.number, ".ids": [Number(compared[1]), Number(compared[2])] });
    }
    this.#follow(subarray);
    return [
      this.#timeline(subarray),
      h("div", { key: "filter", class: "card place-of-filter" }),
      h(
        "div",
        { key: "tools", class: "toolbar" },
        h("span", { class: "note" }, this.#problem ? clean(this.#problem) : `${counted(this.#found.length, "run")}${this.#more ? ", and more" : ""}`),
        this.#compareLink(subarray),
        h("button", { type: "button", class: "button small", onclick: () => save(subarray, this.#found) }, "Save as CSV"),
      ),
      this.#table(subarray),
      this.#more ? h("button", { key: "more", type: "button", class: "button", onclick: () => this.#search(this.#found.at(-1)?.id) }, "Show more") : null,
    ];
  }

  /**
   * Search again when there is a new run.
   *
   * @param {Subarray} subarray
   */
  #follow(subarray) {
    const newest = Math.max(0, ...subarray.procedures.keys());
    const before = this.#newest;
    this.#newest = newest;
    if (before && newest > before) this.#search();
  }

  /** @param {Subarray} subarray */
  #compareLink(subarray) {
    const [one, other] = this.#chosen;
    if (one === undefined || other === undefined) return h("span", { class: "hits" }, "Choose two runs to compare them.");
    return h("a", { class: "button small", href: to(subarray.number, "history", "compare", one, other) }, `Compare #${one} and #${other}`);
  }

  /** @param {Subarray} subarray */
  #timeline(subarray) {
    const from = now() - this.#hours * 3600;
    /** @type {Map<string, Line>} */
    const lines = new Map();
    const all = new Map([...this.#found.map((each) => /** @type {[number, Procedure]} */ ([each.id, each])), ...subarray.procedures]);
    for (const procedure of [...all.values()].sort((one, other) => one.id - other.id)) {
      const { began, ended } = times(procedure);
      if (began === null || (ended ?? now()) < from) continue;
      const label = scriptName(procedure.script);
      const line = lines.get(label) ?? { key: label, label, bars: [] };
      const how = lookOf(procedure);
      const until = ended ?? now();
      line.bars.push({ from: began, to: until, tone: how.tone, title: `#${procedure.id} ${label}: ${how.word}, ${utc(began)}, ${duration(until - began)}` });
      lines.set(label, line);
    }
    const choose = (/** @type {Event} */ event) => {
      this.#hours = Number(/** @type {HTMLSelectElement} */ (event.target).value);
      this.refresh();
    };
    return h(
      "figure",
      { key: "timeline", class: "card" },
      h("figcaption", null, "The last ", h("select", { "aria-label": "Hours", onchange: choose }, SPANS.map((each) => h("option", { value: each, ".selected": each === this.#hours }, `${each} h`))), " (UTC)"),
      lines.size ? timeline(`Runs of the last ${this.#hours} hours`, [...lines.values()].slice(0, 12), { from, to: now() + this.#hours * 120, now: now() }) : h("p", { class: "quiet" }, "Nothing has run."),
    );
  }

  /** @param {Subarray} subarray */
  #table(subarray) {
    return h(
      "div",
      { key: "table", class: "card scrolls", tabindex: "0", role: "region", "aria-label": "Runs" },
      h(
        "table",
        { class: "history" },
        h("thead", null, h("tr", null, ["", "Run", "State", "Created (UTC)", "Ran for", "By", ""].map((each, place) => h("th", { key: place, scope: "col" }, each || h("span", { class: "for-readers" }, place ? "Actions" : "Compare"))))),
        h("tbody", null, this.#found.map((each) => this.#row(subarray, subarray.procedures.get(each.id) ?? each))),
      ),
    );
  }

  /**
   * @param {Subarray} subarray
   * @param {Procedure} procedure
   */
  #row(subarray, procedure) {
    const { began, ended } = times(procedure);
    const { id } = procedure;
    const toggle = () => {
      this.#chosen = this.#chosen.includes(id) ? this.#chosen.filter((each) => each !== id) : [...this.#chosen, id].slice(-2);
      this.refresh();
    };
    const uri = procedure.script.script_type === "filesystem" ? [procedure.script.script_uri ?? ""] : [];
    return h(
      "tr",
      { key: id },
      h("td", null, h("input", { type: "checkbox", "aria-label": `Compare #${id}`, ".checked": this.#chosen.includes(id), onchange: toggle })),
      h("td", null, h("a", { href: to(subarray.number, "runs", id) }, clean(scriptName(procedure.script)), h("span", { class: "id" }, ` #${id}`))),
      h("td", null, badge(lookOf(procedure))),
      h("td", null, time(procedure.created)),
      h("td", null, began === null ? "" : duration((ended ?? now()) - began)),
      h("td", null, procedure.requested_by ? clean(requesterName(procedure.requested_by)) : ""),
      h("td", null, hasEnded(procedure) ? h("a", { class: "button small", href: to(subarray.number, "scripts", ...uri, "from", id) }, icon("play"), "Rerun") : null),
    );
  }
}

function filterFields() {
  return [
    h("label", { class: "field" }, h("span", null, "State"), h("select", { name: "state" }, h("option", { value: "" }, "Any"), STATES.map((each) => h("option", { value: each }, look(each).word)))),
    h("label", { class: "field" }, h("span", null, "Script"), h("input", { name: "script", type: "search", autocomplete: "off" })),
    h("label", { class: "field" }, h("span", null, "Text"), h("input", { name: "text", type: "search", autocomplete: "off" })),
    h("label", { class: "field" }, h("span", null, "From (UTC)"), h("input", { name: "since", type: "datetime-local" })),
    h("label", { class: "field" }, h("span", null, "To (UTC)"), h("input", { name: "until", type: "datetime-local" })),
    h("button", { class: "button", type: "submit" }, "Find"),
  ];
}

/**
 * Save runs as a table.
 *
 * @param {Subarray} subarray
 * @param {Procedure[]} procedures
 */
function save(subarray, procedures) {
  const rows = procedures.map((each) => {
    const { began, ended } = times(each);
    const iso = (/** @type {number | null} */ when) => (when === null ? "" : new Date(when * 1000).toISOString());
    const by = each.requested_by ? requesterName(each.requested_by) : "";
    return [each.id, each.script.script_uri ?? "embedded", each.state, iso(each.created), iso(began), iso(ended), by, JSON.stringify(each.script_args)];
  });
  const quote = (/** @type {unknown} */ value) => `"${String(value).replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"`;
  const text = [["id", "script", "state", "created", "began", "ended", "requested_by", "arguments"], ...rows].map((row) => row.map(quote).join(",")).join("\r\n");
  const url = URL.createObjectURL(new Blob([`${text}\r\n`], { type: "text/csv" }));
  const link = /** @type {HTMLAnchorElement} */ (create(h("a", { href: url, download: `runs-of-subarray-${subarray.number}.csv` })));
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

customElements.define("oet-history", History);
