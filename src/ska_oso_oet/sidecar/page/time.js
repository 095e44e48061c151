/** Times: shown in UTC, with the local time on hover. All are seconds since 1970. */

import { h } from "./dom/h.js";

/** Return the time now. */
export const now = () => Date.now() / 1000;

/** @param {number} number */
const two = (number) => String(number).padStart(2, "0");

/**
 * Return the time of day in UTC, with the date unless it is today.
 *
 * @param {number} seconds
 */
export function utc(seconds) {
  const date = new Date(seconds * 1000);
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  const day = date.toISOString().slice(0, 10);
  return day === new Date().toISOString().slice(0, 10) ? time : `${day} ${time}`;
}

/**
 * Describe a time.
 *
 * @param {number} seconds
 */
export function time(seconds) {
  const date = new Date(seconds * 1000);
  const local = date.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
  return h("time", { datetime: date.toISOString(), title: `${date.toISOString()} · local time ${local}` }, utc(seconds));
}

/**
 * Return a duration in words.
 *
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${two(whole % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${two(minutes % 60)} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
