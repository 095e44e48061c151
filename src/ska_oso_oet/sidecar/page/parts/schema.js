/** Values of parameters: typed as text, checked by the JSON Schema of the parameter, sent as JSON. */

/** @import { Schema } from "../types" */

/**
 * Return what a parameter takes: references are followed, and "or null" is left out.
 *
 * @param {Schema} schema of the parameter
 * @param {Schema} root of all parameters: it has the definitions
 * @returns {Schema}
 */
export function resolve(schema, root) {
  /** @type {Schema} */
  let found = schema;
  for (let depth = 0; depth < 8; depth += 1) {
    const { $ref, anyOf } = found;
    const others = (anyOf ?? []).filter((each) => each.type !== "null");
    const { $ref: _, anyOf: __, ...rest } = found;
    if ($ref?.startsWith("#/$defs/")) found = { ...rest, ...root.$defs?.[$ref.slice(8)] };
    else if (others.length === 1) found = { ...rest, ...others[0] };
    else break;
  }
  return found;
}

/**
 * Return a value as a person types it.
 *
 * @param {unknown} value
 * @param {Schema} schema
 */
export function typed(value, schema) {
  if (value === undefined) return "";
  if (typeof value !== "string") return JSON.stringify(value);
  // A text that would be read as something else, or as nothing, stands in quotation marks.
  const read = value === "" ? null : parse(value, schema);
  return read && "value" in read && read.value === value ? value : JSON.stringify(value);
}

/**
 * Return the value that was typed, or what is wrong with it.
 *
 * @param {string} text
 * @param {Schema} schema
 * @returns {{value: unknown} | {error: string}}
 */
export function parse(text, schema) {
  const trimmed = text.trim();
  if (schema.enum) {
    const found = schema.enum.find((each) => String(each) === trimmed || JSON.stringify(each) === trimmed);
    return found === undefined ? { error: `Choose one of ${schema.enum.join(", ")}.` } : { value: found };
  }
  if (trimmed === "null" && schema.default === null) return { value: null };
  if (schema.type === "boolean") return parseBoolean(trimmed);
  if (schema.type === "integer") return /^[+-]?\d+$/.test(trimmed) ? limited(Number(trimmed), schema) : { error: "Give a whole number." };
  if (schema.type === "number") {
    const number = trimmed === "" ? Number.NaN : Number(trimmed);
    return Number.isFinite(number) ? limited(number, schema) : { error: "Give a number." };
  }
  if (schema.type === "string") return { value: unquoted(text) };
  return parseJson(text, schema);
}

/** @param {string} text */
function parseBoolean(text) {
  const values = /** @type {Record<string, boolean>} */ ({ true: true, yes: true, false: false, no: false });
  const value = values[text.toLowerCase()];
  return value === undefined ? { error: "Choose yes or no." } : { value };
}

/**
 * @param {number} value
 * @param {Schema} schema
 */
function limited(value, schema) {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (minimum !== undefined && value < minimum) return { error: `It has to be at least ${minimum}.` };
  if (maximum !== undefined && value > maximum) return { error: `It may be at most ${maximum}.` };
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) return { error: `It has to be more than ${exclusiveMinimum}.` };
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum) return { error: `It has to be less than ${exclusiveMaximum}.` };
  return { value };
}

/**
 * Return a text without the quotation marks around it, if it has any.
 *
 * @param {string} text
 */
function unquoted(text) {
  if (!/^".*"$/s.test(text)) return text;
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}

/**
 * @param {string} text
 * @param {Schema} schema
 */
function parseJson(text, schema) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    if (schema.type === "array") return { error: 'Give a list as JSON, for example [1, 2] or ["a", "b"].' };
    if (schema.type === "object") return { error: 'Give an object as JSON, for example {"band": 2}.' };
    return { value: text };
  }
  if (schema.type === "array" && !Array.isArray(value)) return { error: "Give a list as JSON, in square brackets." };
  if (schema.type === "object" && (typeof value !== "object" || value === null || Array.isArray(value))) {
    return { error: "Give an object as JSON, in curly brackets." };
  }
  return { value };
}

/**
 * Return what a parameter takes, in words.
 *
 * @param {Schema} schema
 */
export function takes(schema) {
  /** @type {Record<string, string>} */
  const kinds = { integer: "whole number", number: "number", string: "text", boolean: "yes or no", array: "list", object: "JSON object" };
  const parts = [schema.enum ? "" : kinds[schema.type ?? ""] ?? "text or JSON"];
  if (schema.unit) parts.push(`in ${schema.unit}`);
  const least = schema.minimum ?? schema.exclusiveMinimum;
  const most = schema.maximum ?? schema.exclusiveMaximum;
  if (least !== undefined) parts.push(`from ${least}`);
  if (most !== undefined) parts.push(`to ${most}`);
  return parts.filter(Boolean).join(" ");
}
