/** Session of the user: log in and out, the name, and the shortcuts. */

import { h } from "../dom/h.js";
import { call } from "../net/api.js";
import { link } from "../net/link.js";
import { settings } from "../settings.js";
import { store } from "../store/store.js";
import { ask } from "./dialogs.js";
import { complain, say } from "./messages.js";

/** Ask for the token of the service, and begin a session with it. */
export async function logIn() {
  const content = [
    h("p", null, "Your browser keeps a session for seven days. The token itself is not kept."),
    h(
      "label",
      { class: "field" },
      h("span", null, "Token"),
      h("input", { name: "token", type: "password", required: true, autocomplete: "current-password", autofocus: true }),
    ),
  ];
  const filled = await ask("Log in", content, { confirm: "Log in" });
  if (filled === null) return;
  try {
    store.state.session = await call(null, "POST", "/session", { token: filled.get("token") });
    say("You are logged in.");
    link.again();
  } catch (error) {
    complain(error);
  }
  store.changed();
}

/** End the session. */
export async function logOut() {
  try {
    store.state.session = await call(null, "DELETE", "/session");
    say("You are logged out.");
    link.again();
  } catch (error) {
    complain(error);
  }
  store.changed();
}

/** Ask for what a person can choose. */
export async function chooseSettings() {
  const content = [
    h(
      "label",
      { class: "field" },
      h("span", null, "Your name"),
      h("input", { name: "user", value: settings.user, maxlength: "60", autocomplete: "username", "aria-describedby": "name-note" }),
      h("small", { id: "name-note" }, "It is recorded with everything that you start, stop and change."),
    ),
    h(
      "label",
      { class: "check" },
      h("input", { type: "checkbox", name: "shortcuts", checked: settings.shortcuts }),
      h("span", null, "Use single keys as shortcuts"),
    ),
    h(
      "dl",
      { class: "keys" },
      SHORTCUTS.flatMap(([key, meaning]) => [h("dt", null, h("kbd", null, key)), h("dd", null, meaning)]),
    ),
  ];
  const filled = await ask("Settings and shortcuts", content, { confirm: "Save" });
  if (filled === null) return;
  settings.user = String(filled.get("user") ?? "").trim();
  settings.shortcuts = filled.has("shortcuts");
  store.changed();
}

export const SHORTCUTS = [
  ["0", "all subarrays"],
  ["1 … 9", "a subarray"],
  ["[ and ]", "previous and next tab of a subarray"],
  ["w", "large overview"],
  ["/", "search"],
  ["?", "this help"],
];
