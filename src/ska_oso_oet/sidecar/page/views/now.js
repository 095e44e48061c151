/** Present run of a subarray, procedures that can be started, and recent runs. */

import { h } from "../dom/h.js";
import { View } from "../dom/view.js";
import { clean } from "../text.js";
import { to } from "../router.js";
import { store } from "../store/store.js";
import { current, hasEnded, newest, running, scriptName } from "../store/subarray.js";
import { time } from "../time.js";
import { runActions } from "../parts/run_actions.js";
import { badge, lookOf } from "../parts/states.js";
import { runView } from "./run.js";

/** @import { Procedure, Subarray } from "../types" */

const LATELY = 8;

class Now extends View {
  /** Number of the subarray. */
  number = 0;
  rest = "";

  /** @override */
  view() {
    const subarray = store.subarray(this.number);
    if (!subarray?.loaded) return h("p", { class: "empty" }, "…");
    const runs = running(subarray);
    const shown = current(subarray);
    const others = newest(subarray).filter((each) => each !== shown);
    const live = others.filter((each) => !hasEnded(each));
    const lately = others.filter(hasEnded).slice(0, LATELY);
    return [
      runs ? null : h("p", { class: "nothing" }, shown ? "Nothing runs. This is the newest:" : "Nothing has run yet."),
      shown ? runView(subarray, shown) : null,
      live.length ? list(subarray, "Ready or being prepared", live) : null,
      lately.length ? list(subarray, "Lately", lately) : null,
    ];
  }
}

/**
 * @param {Subarray} subarray
 * @param {string} title
 * @param {Procedure[]} procedures
 */
function list(subarray, title, procedures) {
  return h(
    "section",
    { key: title, class: "card runs" },
    h("h3", null, title),
    h("ul", null, procedures.map((each) => entry(subarray, each))),
  );
}

/**
 * @param {Subarray} subarray
 * @param {Procedure} procedure
 */
function entry(subarray, procedure) {
  const last = procedure.history.process_states.at(-1);
  return h(
    "li",
    { key: procedure.id },
    badge(lookOf(procedure)),
    h("a", { href: to(subarray.number, "runs", procedure.id) }, clean(scriptName(procedure.script)), h("span", { class: "id" }, ` #${procedure.id}`)),
    last ? h("span", { class: "when" }, time(last[1])) : null,
    h("span", { class: "actions" }, runActions(subarray, procedure)),
  );
}

customElements.define("oet-now", Now);
