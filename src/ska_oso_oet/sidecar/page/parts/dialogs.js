/** Questions to the person at the page, before something is done. */

import { create, h } from "../dom/h.js";

/** @import { Children } from "../dom/h.js" */

/**
 * Labels of a dialog's buttons, a function that adds to the dialog before it is shown, and one that says whether
 * what was filled in can be taken.
 *
 * @typedef {{confirm: string, danger?: boolean, cancel?: string, mount?: (dialog: HTMLElement) => void, allow?: () => boolean}} Options
 */

/**
 * Show a dialog until it is answered.
 *
 * @param {string} title
 * @param {Children} content
 * @param {Options} options
 * @returns {Promise<FormData | null>} what was filled in; null if it was cancelled
 */
export function ask(title, content, { confirm, danger = false, cancel = "Cancel", mount, allow }) {
  const dialog = /** @type {HTMLDialogElement} */ (
    create(
      h(
        "dialog",
        { "aria-labelledby": "dialog-title", class: "dialog" },
        h(
          "form",
          { method: "dialog" },
          h("h2", { id: "dialog-title" }, title),
          h("div", { class: "content" }, content),
          h(
            "div",
            { class: "buttons" },
            h("button", { type: "button", class: "button", onclick: () => dialog.close("") }, cancel),
            h("button", { type: "submit", class: `button ${danger ? "danger" : "primary"}`, value: "yes" }, confirm),
          ),
        ),
      ),
    )
  );
  const form = /** @type {HTMLFormElement} */ (dialog.querySelector("form"));
  mount?.(dialog);
  form.addEventListener("submit", (event) => {
    if (allow && !allow()) event.preventDefault();
  });
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes" ? new FormData(form) : null);
      dialog.remove();
    });
  });
}

/**
 * Have an action confirmed that cannot be taken back.
 *
 * @param {string} title names the action and its object
 * @param {string} consequence what it will do
 * @param {string} button what the button says
 */
export async function confirm(title, consequence, button) {
  return (await ask(title, h("p", null, consequence), { confirm: button, danger: true })) !== null;
}
