/** Facts about a run: arguments, result, failure, source. */

import { h } from "../dom/h.js";
import { plain, clean } from "../text.js";
import { requesterName } from "../store/subarray.js";
import { time } from "../time.js";

/** @import { Arguments, Procedure } from "../types" */

/**
 * Describe the arguments of a run.
 *
 * @param {Procedure} procedure
 */
export function argumentsOf(procedure) {
  const calls = Object.entries(procedure.script_args).filter(([, each]) => each.args.length || Object.keys(each.kwargs).length);
  if (!calls.length) return h("p", { class: "quiet" }, "No arguments.");
  return calls.map(([name, given]) => h("div", { key: name, class: "arguments" }, h("h4", null, clean(name)), table(given)));
}

/** @param {Arguments} given */
function table(given) {
  const rows = [
    ...given.args.map((value, place) => /** @type {[string, unknown]} */ ([`${place + 1}.`, value])),
    ...Object.entries(given.kwargs),
  ];
  return h("dl", { class: "values" }, rows.flatMap(([name, value]) => [h("dt", null, clean(name)), h("dd", null, plain(value))]));
}

/**
 * Describe what `main` has returned.
 *
 * @param {Procedure} procedure
 */
export function resultOf(procedure) {
  if (procedure.result_omitted) return h("p", { class: "quiet" }, clean(procedure.result_omitted));
  if (procedure.result === null || procedure.result === undefined) return h("p", { class: "quiet" }, "It returned nothing.");
  const text = typeof procedure.result === "string" ? procedure.result : JSON.stringify(procedure.result, null, 2);
  return h("pre", { class: "result", tabindex: "0", "aria-label": "Result" }, clean(text));
}

/**
 * Describe why a run has failed: first what went wrong, then the calls that led to it.
 *
 * @param {string} trace as Python writes it
 */
export function traceOf(trace) {
  const lines = trace.trimEnd().split("\n");
  const last = lines.findLastIndex((line) => /^[ |]*File "/.test(line));
  if (last < 0) return h("p", { class: "reason" }, clean(trace));
  const below = lines.findIndex((line, index) => index > last && !line.startsWith(" "));
  const reason = below < 0 ? lines.slice(-1) : lines.slice(below);
  return [
    h("p", { class: "reason" }, clean(reason.join("\n"))),
    h(
      "details",
      { class: "trace" },
      h("summary", null, "Stack trace"),
      h("pre", { tabindex: "0", "aria-label": "Stack trace" }, lines.map((line, index) => h("span", { key: index, class: kindOf(line, lines[index - 1]) }, `${clean(line)}\n`))),
    ),
  ];
}

/**
 * @param {string} line
 * @param {string | undefined} before
 */
function kindOf(line, before) {
  if (/^[ |]*File "/.test(line)) return "frame";
  if (before !== undefined && /^[ |]*File "/.test(before)) return "source";
  return line.startsWith(" ") ? "call" : "head";
}

/**
 * Describe where a run is from, and when it did what.
 *
 * @param {Procedure} procedure
 */
export function originOf(procedure) {
  const { script } = procedure;
  /** @type {[string, any][]} */
  const facts = [
    ["Script", h("code", null, clean(script.script_uri ?? "embedded"))],
    ["Repository", script.git_args?.git_repo ? h("code", null, clean(script.git_args.git_repo)) : null],
    ["Commit", procedure.commit ? h("code", null, clean(procedure.commit)) : null],
    ["Text (SHA-256)", procedure.script_sha256 ? h("code", null, procedure.script_sha256.slice(0, 16)) : null],
    ["Requested by", procedure.requested_by ? clean(requesterName(procedure.requested_by)) : null],
    ["Entry of the queue", procedure.queue_entry],
    ["Created", time(procedure.created)],
  ];
  const states = procedure.history.process_states.map(([state, when], index) =>
    h("li", { key: index }, h("span", { class: "state" }, state), time(when)),
  );
  return [
    h("dl", { class: "values" }, facts.filter(([, value]) => value !== null && value !== undefined).flatMap(([name, value]) => [h("dt", null, name), h("dd", null, value)])),
    h("details", null, h("summary", null, "States"), h("ol", { class: "history" }, states)),
  ];
}
