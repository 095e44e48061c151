/** Short messages at the foot of the page: what was done, and what was refused. */

import { create, h } from "../dom/h.js";
import { clean } from "../text.js";
import { icon } from "./icons.js";

const SHOWN = 6000;

/**
 * Say that something was done. The message goes by itself.
 *
 * @param {string} text
 */
export function say(text) {
  const message = show(text, "good", "check");
  setTimeout(() => message.remove(), SHOWN);
}

/**
 * Say that something was refused or has failed. The message stays until it is closed.
 *
 * @param {unknown} error
 */
export function complain(error) {
  show(error instanceof Error ? error.message : String(error), "bad", "warning");
}

/**
 * @param {string} text
 * @param {string} tone
 * @param {string} picture
 */
function show(text, tone, picture) {
  const place = /** @type {HTMLElement} */ (document.getElementById("messages"));
  const message = create(
    h(
      "div",
      { class: `message tone-${tone}` },
      icon(picture),
      h("span", { class: "text" }, clean(text)),
      h("button", { type: "button", class: "plain", "aria-label": "Close this message", onclick: () => message.remove() }, icon("cross")),
    ),
  );
  // The same thing is said once.
  for (const each of [...place.children]) if (each.textContent === message.textContent) each.remove();
  place.append(message);
  return message;
}
