/** Faults of a controller, what to do about them, and the buttons for that. */

import { h } from "../dom/h.js";
import { View } from "../dom/view.js";
import { address, call } from "../net/api.js";
import { clean } from "../text.js";
import { store } from "../store/store.js";
import { running } from "../store/subarray.js";
import { time } from "../time.js";
import { action, refusal } from "../parts/action.js";
import { confirm } from "../parts/dialogs.js";
import { badge, look } from "../parts/states.js";

/** @import { ControllerStatus, Subarray } from "../types" */

/** @type {[ControllerStatus["admin_mode"], string, string][]} */
const MODES = [
  ["ONLINE", "Online", "Normal use."],
  ["ENGINEERING", "Engineering", "Tests and maintenance: scripts can be run."],
  ["OFFLINE", "Offline", "Nothing can be created or started. Running scripts continue."],
];

/** States in which nothing can be created or started until it is switched on. */
const SWITCHED_OFF = new Set(["OFF", "STANDBY"]);

class Health extends View {
  number = 0;
  rest = "";

  /** @override */
  view() {
    const subarray = store.subarray(this.number);
    const status = subarray?.status;
    if (!subarray || !status) return h("p", { class: "empty" }, "…");
    return h(
      "div",
      { class: "health-view" },
      h(
        "section",
        { class: `card tone-${look(status.health_state).tone}` },
        h("h2", null, "Health"),
        h("p", { class: "states" }, badge(look(status.health_state), "solid"), h("span", null, `Tango state ${status.state}`)),
        h("p", { class: "sentence" }, clean(status.status)),
        h("div", { class: "actions" }, this.#reset(subarray), SWITCHED_OFF.has(status.state) ? this.#switchOn(subarray) : null),
        h("p", { class: "quiet" }, "Reset reads the properties of the controller again, and acknowledges damage that it reports. It does not affect running scripts."),
      ),
      h(
        "section",
        { class: "card" },
        h("h2", null, "Mode"),
        h("p", { class: "quiet" }, "The mode is remembered over restarts of the controller."),
        h("ul", { class: "modes" }, MODES.map(([mode, label, meaning]) => this.#mode(subarray, status, mode, label, meaning))),
      ),
      h(
        "section",
        { class: "card" },
        h("h2", null, "Controller"),
        h(
          "dl",
          { class: "values" },
          [
            ["Device", h("code", null, clean(status.device))],
            ["Version", clean(status.version)],
            ["Scripts may use", status.subarray_id === null ? "any subarray" : `subarray ${status.subarray_id} only`],
            subarray.unavailable
              ? ["Unavailable since", [time(subarray.unavailable.since), " ", clean(subarray.unavailable.reason)]]
              : ["Answers since", time(subarray.availableSince)],
            ["Last report", time(subarray.heard)],
            ["Last event", String(subarray.lastEvent ?? "none")],
          ].flatMap(([name, value]) => [h("dt", null, name), h("dd", null, value)]),
        ),
        h("p", null, h("a", { href: address(this.number, "/ui") }, "REST interface"), " · ", h("a", { href: new URL("metrics", document.baseURI).href }, "Figures for Prometheus")),
      ),
    );
  }

  /** @param {Subarray} subarray */
  #reset(subarray) {
    return action({
      name: `reset ${subarray.number}`,
      label: "Reset",
      picture: "reset",
      refused: refusal(subarray),
      run: async () => {
        if (!(await confirm(`Reset ${subarray.device}?`, "Do this after the fault has been fixed. If a fault remains, the answer describes it.", "Reset"))) return null;
        subarray.status = await call(subarray.number, "POST", "/reset", undefined, 40_000);
        return `${subarray.device} was reset.`;
      },
    });
  }

  /** @param {Subarray} subarray */
  #switchOn(subarray) {
    return action({
      name: `on ${subarray.number}`,
      label: "Switch on",
      picture: "play",
      kind: "primary",
      refused: refusal(subarray),
      run: async () => {
        subarray.status = await call(subarray.number, "PUT", "/state", { state: "ON" }, 40_000);
        return `${subarray.device} is on.`;
      },
    });
  }

  /**
   * @param {Subarray} subarray
   * @param {ControllerStatus} status
   * @param {ControllerStatus["admin_mode"]} mode
   * @param {string} label
   * @param {string} meaning
   */
  #mode(subarray, status, mode, label, meaning) {
    const here = status.admin_mode === mode;
    const runs = running(subarray);
    return h(
      "li",
      { key: mode, class: here ? "here" : "" },
      here
        ? badge({ word: label, icon: "check", tone: mode === "ONLINE" ? "good" : "held" })
        : action({
            name: `mode ${subarray.number} ${mode}`,
            label,
            refused: refusal(subarray),
            run: async () => {
              const consequence = `${meaning}${runs ? ` #${runs.id} continues.` : ""}`;
              if (!(await confirm(`Set ${subarray.device} to ${label.toLowerCase()}?`, consequence, label))) return null;
              subarray.status = await call(subarray.number, "PUT", "/admin_mode", { admin_mode: mode });
              return `${subarray.device} is ${label.toLowerCase()}.`;
            },
          }),
      h("span", null, meaning),
    );
  }
}

customElements.define("oet-health", Health);
