/** One entry of the queue, and what can be done with it. */

import { create, h } from "../dom/h.js";
import { call } from "../net/api.js";
import { to } from "../router.js";
import { requesterName, scriptName } from "../store/subarray.js";
import { clean, counted } from "../text.js";
import { duration, time, utc } from "../time.js";
import { action, refusal } from "./action.js";
import "./arguments.js";
import { ask } from "./dialogs.js";
import { entryFields, entryOptions } from "./entry_options.js";
import { badge, look } from "./states.js";

/** @import { ArgumentsElement } from "./arguments.js" */
/** @import { Arguments, FunctionDescription, QueueEntry, ShownEntry, Subarray } from "../types" */

/**
 * Return what an entry runs, for people.
 *
 * @param {QueueEntry} entry
 */
export function nameOfEntry({ request }) {
  if (request.procedure) return scriptName(request.procedure.script);
  return `${request.activity?.["activity_name"]} of ${request.activity?.["sbd_id"] ?? request.activity?.["sbd_uri"]}`;
}

/**
 * Return when an entry is expected to run, and why that is known.
 *
 * @param {ShownEntry | undefined} expected
 */
export function place(expected) {
  if (!expected) return "";
  const { estimated_start: start, expected_duration: lasts, expected_from: from } = expected;
  const begins = start === null ? "" : `expected at ${utc(start)}`;
  const takes = lasts === null || !from ? "" : `takes about ${duration(lasts)} (median of ${counted(from.runs, "run")})`;
  return [begins, takes].filter(Boolean).join(", ");
}

/**
 * Describe an entry.
 *
 * @param {Subarray} subarray
 * @param {QueueEntry} entry
 * @param {ShownEntry | undefined} expected
 * @param {{before: QueueEntry | undefined, behind: QueueEntry | undefined}} neighbours
 */
export function entryRow(subarray, entry, expected, { before, behind }) {
  const { request } = entry;
  const refused = refusal(subarray);
  const waits = entry.state === "WAITING";
  const name = nameOfEntry(entry);
  const link = entry.procedure_id === null ? null : h("a", { href: to(subarray.number, "runs", entry.procedure_id) }, `#${entry.procedure_id}`);
  const put = (/** @type {object} */ body) => async () => {
    await call(subarray.number, "PUT", `/queue/${entry.id}`, body);
  };
  const button = (/** @type {string} */ label, /** @type {string} */ picture, /** @type {string | null} */ why, /** @type {() => Promise<any>} */ run) =>
    action({ name: `${label} ${subarray.number} ${entry.id}`, label, picture, kind: "small", refused: refused ?? why, run });
  return [
    h("span", { key: "id", class: "number" }, String(entry.id)),
    badge(look(entry.state)),
    h("div", { key: "what", class: "what" }, h("b", null, clean(name)), " ", h("code", null, clean(argumentsInLine(entry))), request.note ? h("p", { class: "note" }, clean(request.note)) : null, entry.reason ? h("p", { class: "why" }, clean(entry.reason)) : null),
    h(
      "p",
      { key: "figures", class: "figures" },
      link,
      request.repeat > 1 ? h("span", null, `${request.repeat} times`) : null,
      request.not_before ? h("span", null, "not before ", time(Date.parse(request.not_before) / 1000)) : null,
      request.window === null ? null : h("span", null, `within ${duration(request.window)}`),
      waits && place(expected) ? h("span", null, place(expected)) : null,
      entry.added_by ? h("span", null, `by ${clean(requesterName(entry.added_by))}`) : null,
    ),
    waits
      ? h(
          "div",
          { key: "actions", class: "actions" },
          button("Up", "up", before ? null : "It is the first one that waits.", put({ position: { before: before?.id } })),
          button("Down", "down", behind ? null : "It is the last one.", put({ position: { after: behind?.id } })),
          button("Edit", "list", null, () => edit(subarray, entry)),
          button("Remove", "cross", null, async () => {
            await call(subarray.number, "DELETE", `/queue/${entry.id}`);
            return `Entry ${entry.id}, ${name}, was removed.`;
          }),
        )
      : null,
  ];
}

/** @param {QueueEntry} entry */
function argumentsInLine({ request }) {
  const { main } = request.procedure?.script_args ?? request.activity?.["script_args"] ?? {};
  const given = /** @type {Arguments | undefined} */ (main);
  if (!given) return "";
  const named = Object.entries(given.kwargs ?? {}).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [...(given.args ?? []).map((value) => JSON.stringify(value)), ...named].join(", ");
}

/**
 * Have a person change an entry.
 *
 * @param {Subarray} subarray
 * @param {QueueEntry} entry
 */
async function edit(subarray, entry) {
  const { procedure, activity } = entry.request;
  const form = /** @type {ArgumentsElement} */ (create(h("oet-arguments")));
  const given = procedure?.script_args ?? activity?.["script_args"] ?? {};
  form.begin(await functionsOf(subarray, entry), given);
  const holder = create(h("div", { class: "place-of-form" }));
  holder.append(form);
  const data = await ask(
    `Edit entry ${entry.id}, ${nameOfEntry(entry)}`,
    [entryFields(entry.request), h("div", { class: "place-of-form" })],
    { confirm: "Save", mount: (dialog) => dialog.querySelector(".place-of-form")?.replaceWith(holder), allow: () => form.value() !== null },
  );
  if (!data) return null;
  const script_args = form.value() ?? given;
  const what = procedure ? { procedure: { ...procedure, script_args } } : { activity: { ...activity, script_args } };
  await call(subarray.number, "PUT", `/queue/${entry.id}`, { ...entryOptions(data), ...what });
  return `Entry ${entry.id} was changed.`;
}

/**
 * @param {Subarray} subarray
 * @param {QueueEntry} entry
 * @returns {Promise<Record<string, FunctionDescription>>}
 */
async function functionsOf(subarray, { request }) {
  const uri = request.procedure?.script.script_type === "filesystem" ? request.procedure.script.script_uri : null;
  const unknown = { doc: null, parameters: {} };
  if (!uri) return { init: unknown, main: unknown };
  return (await call(subarray.number, "GET", `/scripts/describe?uri=${encodeURIComponent(uri)}`)).functions;
}
