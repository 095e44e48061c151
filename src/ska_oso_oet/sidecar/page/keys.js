/** Single keys as shortcuts. They can be switched off (WCAG 2.2, 2.1.4). */

import { chooseSettings } from "./parts/session.js";
import { go, route, to } from "./router.js";
import { settings } from "./settings.js";
import { store } from "./store/store.js";
import { TABS } from "./views/tabs.js";

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (!settings.shortcuts || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.closest("input, textarea, select, dialog, [contenteditable]")) return;
  if (act(event.key)) event.preventDefault();
}

/**
 * @param {string} key
 * @returns {boolean} whether it means something
 */
function act(key) {
  const here = route();
  if (key === "0") go("#/");
  else if (key === "w") go("#/wall");
  else if (key === "?") chooseSettings();
  else if (key === "/") return focusSearch();
  else if (/^[1-9]$/.test(key)) return showSubarray(Number(key));
  else if ((key === "[" || key === "]") && here.subarray !== null) turnTab(here.subarray, here.tab, key === "]" ? 1 : -1);
  else return false;
  return true;
}

function focusSearch() {
  const field = /** @type {HTMLElement | null} */ (document.querySelector("main input[type=search]"));
  field?.focus();
  return field !== null;
}

/** @param {number} number */
function showSubarray(number) {
  if (!store.subarray(number)) return false;
  const { tab } = route();
  go(to(number, ...(tab && tab !== "runs" ? [tab] : [])));
  return true;
}

/**
 * @param {number} subarray
 * @param {string} tab
 * @param {number} step
 */
function turnTab(subarray, tab, step) {
  const place = Math.max(0, TABS.findIndex((each) => each.name === tab));
  const next = TABS[(place + step + TABS.length) % TABS.length];
  if (next) go(to(subarray, next.name));
}

addEventListener("keydown", pressed);
