/** All subarrays at a glance; the large form of it is for a screen on the wall. */

import { h } from "../dom/h.js";
import { View } from "../dom/view.js";
import { clean } from "../text.js";
import { route, to } from "../router.js";
import { store } from "../store/store.js";
import { age, newest, present, running, scriptName, timeLeft, times, waiting } from "../store/subarray.js";
import { duration, time } from "../time.js";
import { icon } from "../parts/icons.js";
import { meter } from "../parts/progress.js";
import { stopAll } from "../parts/stop_all.js";
import { badge, look, lookOf, lookOfSubarray } from "../parts/states.js";

/** @import { Procedure, Subarray } from "../types" */

class Overview extends View {
  /** @override */
  view() {
    const wall = route().view === "wall";
    const subarrays = [...store.state.subarrays.values()];
    return [
      h(
        "div",
        { class: "heading" },
        h("h1", null, "All subarrays"),
        wall ? null : stopAll(subarrays),
        wall
          ? h("a", { class: "button small", href: "#/" }, icon("list"), h("span", null, "Usual size"))
          : h("a", { class: "button small", href: "#/wall" }, icon("screen"), h("span", null, "Large, for the wall")),
      ),
      subarrays.length
        ? h("ul", { class: `cards ${wall ? "wall" : ""}`, style: { "--columns": columns(subarrays.length) } }, subarrays.map((each) => this.#card(each)))
        : h("p", { class: "empty" }, "Nothing is known yet."),
    ];
  }

  /** @param {Subarray} subarray */
  #card(subarray) {
    const runs = running(subarray);
    const how = lookOfSubarray(subarray, runs);
    const old = age(store.state, subarray);
    return h(
      "li",
      {
        key: subarray.number,
        class: `card overview tone-${how.tone} ${old === null ? "" : "stale"} ${subarray.question ? "asking" : ""}`,
      },
      h(
        "div",
        { class: "top" },
        h("h2", null, h("a", { class: "whole", href: to(subarray.number) }, h("span", null, "Subarray "), h("b", null, String(subarray.number)))),
        badge(how, "solid"),
      ),
      old === null ? null : h("p", { class: "age" }, icon("clock"), subarray.loaded ? `${duration(old)} old` : ""),
      subarray.unavailable ? h("p", { class: "gone" }, "Unavailable since ", time(subarray.unavailable.since), h("span", { class: "sentence" }, " ", clean(subarray.unavailable.reason))) : null,
      subarray.question ? h("p", { class: "asks" }, clean(subarray.question.text)) : null,
      runs ? this.#run(subarray, runs) : this.#idle(subarray),
      h("div", { class: "foot" }, this.#queue(subarray), this.#health(subarray)),
    );
  }

  /**
   * @param {Subarray} subarray
   * @param {Procedure} procedure
   */
  #run(subarray, procedure) {
    const { began } = times(procedure);
    const progress = subarray.progress.get(procedure.id);
    const left = timeLeft(subarray, procedure);
    return h(
      "div",
      { class: "what" },
      h("p", { class: "name" }, clean(scriptName(procedure.script)), h("span", { class: "id" }, ` #${procedure.id}`)),
      h("p", { class: "label" }, clean(procedure.checkpoint ?? progress?.message ?? "\u00a0")),
      meter(progress?.percent ?? null, `Progress of procedure ${procedure.id}`),
      h(
        "p",
        { class: "figures" },
        began === null ? "" : `${duration(present(subarray) - began)} elapsed`,
        left === null ? null : h("span", null, `about ${duration(left)} left`),
      ),
    );
  }

  /** @param {Subarray} subarray */
  #idle(subarray) {
    const last = newest(subarray)[0];
    if (!last) return h("div", { class: "what" }, h("p", { class: "name quiet" }, subarray.loaded ? "Nothing has run yet" : "…"));
    const ended = last.history.process_states.at(-1);
    return h(
      "div",
      { class: "what" },
      h("p", { class: "label" }, "Last"),
      h("p", { class: "name" }, clean(scriptName(last.script)), h("span", { class: "id" }, ` #${last.id}`)),
      h("p", { class: "figures" }, badge(lookOf(last)), ended ? h("span", null, time(ended[1])) : null),
    );
  }

  /** @param {Subarray} subarray */
  #queue(subarray) {
    const { queue } = subarray;
    if (!queue) return h("p", null, "\u00a0");
    const count = waiting(subarray).filter((entry) => entry.state !== "RUNNING").length;
    return h("p", { class: "queue" }, icon("list"), count ? `${count} waiting` : "Queue empty", queue.state === "STOPPED" && !count ? null : `, ${look(queue.state).word.toLowerCase()}`);
  }

  /** @param {Subarray} subarray */
  #health(subarray) {
    const { status } = subarray;
    if (!status) return null;
    const wrong = status.health_state !== "OK" || status.state === "FAULT";
    return h(
      "p",
      { class: `health ${wrong ? "wrong" : ""}` },
      badge(look(status.health_state)),
      wrong ? h("span", { class: "sentence" }, clean(status.status)) : null,
    );
  }
}

/**
 * Return how many columns a wall has: cards are wider than they are high.
 *
 * @param {number} count of subarrays
 */
function columns(count) {
  return String(count <= 3 ? Math.max(2, count) : Math.ceil(Math.sqrt(count)));
}

customElements.define("oet-overview", Overview);
