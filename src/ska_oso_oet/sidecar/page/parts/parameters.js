/** The arguments of one function of a script, between what a form has typed in and what a request sends. */

import { parse, resolve, typed } from "./schema.js";

/** @import { Arguments, FunctionDescription, Schema } from "../types" */

/** Name of the field for arguments that a function takes beyond its parameters. No parameter has it. */
export const FURTHER = "**";

/** Name of the field for arguments by position of a function whose parameters are not known. */
export const BY_POSITION = "*";

/**
 * A field of a form.
 *
 * @typedef {{name: string, label: string, schema: Schema, required: boolean}} Field
 */

/**
 * Return the fields for the arguments of a function.
 *
 * @param {FunctionDescription} description
 * @returns {Field[]}
 */
export function fieldsOf(description) {
  const { parameters } = description;
  if (!parameters?.properties) {
    return [
      { name: BY_POSITION, label: "Arguments by position", schema: { type: "array" }, required: false },
      { name: FURTHER, label: "Arguments by name", schema: { type: "object" }, required: false },
    ];
  }
  const required = new Set(parameters.required ?? []);
  const fields = Object.entries(parameters.properties).map(([name, schema]) => ({
    name,
    label: name,
    schema: resolve(schema, parameters),
    required: required.has(name),
  }));
  if (parameters.additionalProperties) {
    fields.push({ name: FURTHER, label: "Further arguments by name", schema: { type: "object" }, required: false });
  }
  return fields;
}

/**
 * Return what stands in the fields for given arguments.
 *
 * @param {Field[]} fields
 * @param {Arguments | undefined} given
 * @returns {Map<string, string>}
 */
export function fill(fields, given) {
  /** @type {Map<string, string>} */
  const texts = new Map();
  if (!given) return texts;
  const left = [...given.args];
  const further = { ...given.kwargs };
  for (const { name, schema } of fields) {
    if (name === FURTHER) continue;
    if (schema.kind === "VAR_POSITIONAL" || name === BY_POSITION) {
      if (left.length) texts.set(name, JSON.stringify(left.splice(0)));
    } else if (name in further) {
      texts.set(name, typed(further[name], schema));
      delete further[name];
    } else if (left.length) {
      texts.set(name, typed(left.shift(), schema));
    }
  }
  if (Object.keys(further).length) texts.set(FURTHER, JSON.stringify(further));
  return texts;
}

/**
 * Return the arguments that were typed in, and what is wrong with them, by the names of the fields.
 *
 * @param {Field[]} fields
 * @param {Map<string, string>} texts
 * @returns {{given: Arguments, errors: Map<string, string>}}
 */
export function read(fields, texts) {
  /** @type {Map<string, unknown>} */
  const values = new Map();
  /** @type {Map<string, string>} */
  const errors = new Map();
  for (const { name, schema, required } of fields) {
    const text = texts.get(name) ?? "";
    if (text.trim() === "") {
      if (required) errors.set(name, "This is required.");
      continue;
    }
    const result = parse(text, schema);
    if ("error" in result) errors.set(name, result.error);
    else values.set(name, result.value);
  }
  return { given: arrange(fields, values, errors), errors };
}

/**
 * Return arguments in the form of a request: by name, except for what can only be given by position.
 *
 * @param {Field[]} fields
 * @param {Map<string, unknown>} values
 * @param {Map<string, string>} errors takes what is found to be wrong
 * @returns {Arguments}
 */
function arrange(fields, values, errors) {
  const rest = fields.findIndex(({ schema }) => schema.kind === "VAR_POSITIONAL");
  const restGiven = rest >= 0 && values.has(/** @type {Field} */ (fields[rest]).name);
  const only = fields.findLastIndex(({ name, schema }) => schema.kind === "POSITIONAL_ONLY" && values.has(name));
  // Arguments before one by position are given by position, too.
  const count = restGiven ? rest : only + 1;
  /** @type {unknown[]} */
  const args = [];
  for (const { name, schema, required } of fields.slice(0, count)) {
    if (!values.has(name) && !required && !("default" in schema)) errors.set(name, "Give this one, too: those behind it are given by position.");
    args.push(values.has(name) ? values.get(name) : schema.default);
  }
  if (restGiven) args.push(.../** @type {unknown[]} */ (values.get(/** @type {Field} */ (fields[rest]).name)));
  if (values.has(BY_POSITION)) args.push(.../** @type {unknown[]} */ (values.get(BY_POSITION)));
  /** @type {Record<string, unknown>} */
  const kwargs = {};
  fields.forEach(({ name }, place) => {
    if (place < count || place === rest || name === BY_POSITION || name === FURTHER || !values.has(name)) return;
    kwargs[name] = values.get(name);
  });
  Object.assign(kwargs, values.get(FURTHER) ?? {});
  return { args, kwargs };
}
