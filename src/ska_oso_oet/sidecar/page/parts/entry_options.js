/** When and how often an entry of the queue runs: fields of a form, and what they say. */

import { h } from "../dom/h.js";

/** @import { EntryRequest } from "../types" */

/** @typedef {Pick<EntryRequest, "note" | "not_before" | "window" | "repeat">} Options */

/**
 * Describe the fields.
 *
 * @param {Partial<Options>} [given] what stands in them
 */
export function entryFields(given = {}) {
  const at = given.not_before ? new Date(given.not_before).toISOString().slice(0, 19) : "";
  return h(
    "div",
    { class: "entry-options" },
    field("Note", h("input", { name: "note", maxlength: "1000", autocomplete: "off", value: given.note ?? "" })),
    field("Not before (UTC)", h("input", { name: "not_before", type: "datetime-local", step: "1", value: at })),
    field("Skip it if it has not started after (s)", h("input", { name: "window", type: "number", min: "0", step: "any", value: given.window ?? "" })),
    field("How many times", h("input", { name: "repeat", type: "number", min: "1", max: "1000000", step: "1", value: given.repeat ?? 1 })),
  );
}

/**
 * Return what the fields say.
 *
 * @param {FormData} data
 * @returns {Options}
 */
export function entryOptions(data) {
  const text = (/** @type {string} */ name) => String(data.get(name) ?? "").trim();
  return {
    note: text("note"),
    not_before: text("not_before") ? `${text("not_before")}Z` : null,
    window: text("window") ? Number(text("window")) : null,
    repeat: text("repeat") ? Number(text("repeat")) : 1,
  };
}

/**
 * @param {string} label
 * @param {import("../dom/h.js").Element_} input
 */
function field(label, input) {
  return h("label", { class: "field" }, h("span", null, label), input);
}
