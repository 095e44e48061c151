/** One run of a script: what it is doing or has done, its output, events, files and result. */

import { h } from "../dom/h.js";
import { View } from "../dom/view.js";
import { address } from "../net/api.js";
import { loadProcedure } from "../net/snapshot.js";
import { clean } from "../text.js";
import { store } from "../store/store.js";
import { hasEnded, mainBegan, present, requesterName, scriptName, timeLeft, times } from "../store/subarray.js";
import { duration, time } from "../time.js";
import { icon } from "../parts/icons.js";
import { meter } from "../parts/progress.js";
import { runActions } from "../parts/run_actions.js";
import { badge, lookOf } from "../parts/states.js";
import { argumentsOf, originOf, resultOf, traceOf } from "../parts/summary.js";

/** @import { Procedure, Progress, Subarray } from "../types" */

class Run extends View {
  /** Number of the subarray. */
  number = 0;
  #rest = "";
  #asked = 0;
  #problem = "";

  /** ID of the procedure, as the address has it. */
  set rest(rest) {
    if (this.#rest === rest) return;
    this.#rest = rest;
    this.#problem = "";
    this.refresh();
  }

  get rest() {
    return this.#rest;
  }

  /** @override */
  view() {
    const id = Number(this.#rest);
    const subarray = store.subarray(this.number);
    if (!subarray) return [];
    const procedure = subarray.procedures.get(id);
    if (!procedure || procedure.truncated?.length) this.#ask(subarray, id);
    if (!procedure) return h("p", { class: "empty" }, this.#problem ? clean(this.#problem) : "…");
    return runView(subarray, procedure);
  }

  /**
   * @param {Subarray} subarray
   * @param {number} id
   */
  async #ask(subarray, id) {
    if (this.#asked === id || !subarray.loaded) return;
    this.#asked = id;
    try {
      await loadProcedure(subarray, id);
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
      this.refresh();
    }
  }
}

/**
 * Describe a run.
 *
 * @param {Subarray} subarray
 * @param {Procedure} procedure
 */
export function runView(subarray, procedure) {
  const { number } = subarray;
  const { id } = procedure;
  const trace = procedure.history.stacktrace;
  return h(
    "article",
    { key: `run ${number} ${id}`, class: "run", "aria-label": `Procedure ${id}` },
    head(subarray, procedure),
    trace ? h("section", { class: "card failure tone-bad" }, h("h3", null, "Why"), traceOf(trace)) : null,
    h(
      "div",
      { class: "panes" },
      h("section", { class: "card pane output" }, h("oet-output", { ".run": [number, id] })),
      h("section", { class: "card pane" }, h("oet-events", { ".number": number, ".procedure": id })),
      h("section", { class: "card" }, h("h3", null, "Pictures and files"), h("oet-files", { ".number": number, ".procedure": id })),
      h(
        "section",
        { class: "card facts" },
        h("h3", null, "Arguments"),
        argumentsOf(procedure),
        procedure.state === "COMPLETE" ? [h("h3", null, "Result"), resultOf(procedure)] : null,
        h("h3", null, "Origin"),
        originOf(procedure),
        h("p", null, h("a", { href: address(number, `/procedures/${id}/export`), download: `procedure-${id}.zip` }, "Save everything of this run")),
      ),
    ),
  );
}

/**
 * @param {Subarray} subarray
 * @param {Procedure} procedure
 */
function head(subarray, procedure) {
  const how = lookOf(procedure);
  const progress = subarray.progress.get(procedure.id);
  const live = !hasEnded(procedure);
  return h(
    "header",
    { class: `card head tone-${how.tone}` },
    h(
      "div",
      { class: "title" },
      badge(how, "solid"),
      h("h2", null, clean(scriptName(procedure.script)), h("span", { class: "id" }, ` #${procedure.id}`)),
      h("div", { class: "actions" }, runActions(subarray, procedure)),
    ),
    (live && mainBegan(procedure)) || (progress && procedure.state !== "COMPLETE")
      ? h("div", { class: "where" }, h("p", { class: "label" }, where(procedure, progress)), meter(progress?.percent ?? null, "Progress"))
      : null,
    h("p", { class: "figures" }, figures(subarray, procedure)),
  );
}

/**
 * Return where a script is: its checkpoint, what it says, and what is to happen next.
 *
 * @param {Procedure} procedure
 * @param {Progress | undefined} progress
 */
function where(procedure, progress) {
  const pending = { PAUSE: "pauses at its next checkpoint", STOP: "stops at its next checkpoint" };
  const parts = [procedure.checkpoint, progress?.message].filter((text, place, all) => text && all.indexOf(text) === place);
  return [
    parts.length ? clean(parts.join(" · ")) : "\u00a0",
    procedure.at_checkpoint ? h("span", { key: "pending", class: "pending" }, icon("clock"), pending[procedure.at_checkpoint]) : null,
  ];
}

/**
 * @param {Subarray} subarray
 * @param {Procedure} procedure
 */
function figures(subarray, procedure) {
  const { began, ended } = times(procedure);
  const left = timeLeft(subarray, procedure);
  const by = procedure.requested_by;
  return [
    began === null ? h("span", { key: "created" }, "created ", time(procedure.created)) : null,
    began !== null && ended === null ? h("span", { key: "elapsed" }, h("b", null, duration(present(subarray) - began)), " elapsed") : null,
    left === null ? null : h("span", { key: "left" }, "about ", h("b", null, duration(left)), " left"),
    began === null ? null : h("span", { key: "began" }, "began ", time(began)),
    ended === null ? null : h("span", { key: "ended" }, "ended ", time(ended), began === null ? "" : ` after ${duration(ended - began)}`),
    by ? h("span", { key: "by" }, `by ${clean(requesterName(by))}`) : null,
  ];
}

customElements.define("oet-run", Run);
