/** Texts that come from scripts, made harmless to read. */

// Controls, and what turns the direction of the text around it. Tabs and ends of lines are left.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/**
 * Return a text in which what cannot be seen is written out: no script can hide what it says.
 *
 * @param {unknown} text
 * @returns {string}
 */
export function clean(text) {
  return String(text).replace(UNSEEN, (character) => {
    const code = /** @type {number} */ (character.codePointAt(0));
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    if (code === 0x7f) return "␡";
    return `‹U+${code.toString(16).toUpperCase().padStart(4, "0")}›`;
  });
}

/**
 * Return the beginning of a text.
 *
 * @param {string} text
 * @param {number} length
 */
export function shorten(text, length) {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/**
 * Return a value as people write it: texts without quotation marks, anything else as JSON.
 *
 * @param {unknown} value
 * @returns {string}
 */
export function plain(value) {
  return clean(typeof value === "string" ? value : JSON.stringify(value) ?? "");
}

/**
 * Return a number of bytes with its unit.
 *
 * @param {number} bytes
 */
export function size(bytes) {
  const units = ["B", "kB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/**
 * Return a count with its noun.
 *
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export function counted(count, one, many) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many ?? `${one}s`}`;
}
