/** Buttons that change something at a controller. */

import { h } from "../dom/h.js";
import { store } from "../store/store.js";
import { icon } from "./icons.js";
import { complain, say } from "./messages.js";

/** @import { Subarray } from "../types" */

/** Names of the actions that are being carried out. @type {Set<string>} */
const busy = new Set();

/**
 * Return why nothing can be changed; null if it can.
 *
 * @param {Subarray | null} [subarray]
 * @returns {string | null}
 */
export function refusal(subarray) {
  const { connection, session } = store.state;
  if (connection.state !== "open") return "The connection to the service is lost.";
  if (session && session.role !== "operator") {
    if (session.user !== null) return `${session.user} may look, but not change anything.`;
    return session.login ? "You may look, but not change anything: log in first." : "You may look, but not change anything.";
  }
  if (subarray?.available === false) return `The controller of subarray ${subarray.number} does not answer.`;
  return null;
}

/**
 * Describe a button. One that cannot be used stays in its place and says why.
 *
 * @param {object} options
 * @param {string} options.name identifies it on the page
 * @param {string} options.label
 * @param {string} [options.picture]
 * @param {string} [options.kind] "primary", "danger", or nothing
 * @param {string | null} [options.refused] why it cannot be used
 * @param {() => Promise<string | null | void>} options.run does it, and returns what to say then
 */
export function action({ name, label, picture, kind = "", refused = null, run }) {
  const works = busy.has(name);
  const perform = async () => {
    if (refused !== null) return complain(`${label}: ${refused}`);
    if (busy.has(name)) return undefined;
    busy.add(name);
    store.changed();
    try {
      const done = await run();
      if (done) say(done);
    } catch (error) {
      complain(error);
    } finally {
      busy.delete(name);
      store.changed();
    }
    return undefined;
  };
  return h(
    "button",
    {
      key: name,
      type: "button",
      class: `button ${kind} ${works ? "busy" : ""}`,
      "aria-disabled": refused !== null || works ? "true" : null,
      title: refused,
      // The reason is part of the name: it is read out with it.
      "aria-label": refused === null ? null : `${label}. Not possible: ${refused}`,
      onclick: perform,
    },
    picture ? icon(picture) : null,
    h("span", null, label),
  );
}
