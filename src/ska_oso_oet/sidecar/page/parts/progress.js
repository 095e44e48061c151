/** Progress of a script or a preparation. */

import { h } from "../dom/h.js";

/**
 * Describe how far something has come.
 *
 * @param {number | null} percent null if that is not known
 * @param {string} label
 */
export function meter(percent, label) {
  const known = percent !== null;
  return h(
    "div",
    {
      class: `meter ${known ? "" : "unknown"}`,
      role: "progressbar",
      "aria-label": label,
      "aria-valuemin": "0",
      "aria-valuemax": "100",
      "aria-valuenow": known ? Math.round(percent) : null,
    },
    h("span", { class: "track" }, h("span", { class: "done", style: { width: `${known ? percent : 0}%` } })),
    h("span", { class: "percent" }, known ? `${Math.round(percent)} %` : "– %"),
  );
}
