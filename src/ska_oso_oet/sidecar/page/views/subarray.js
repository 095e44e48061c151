/** One subarray: its tabs, and the view that is chosen. */

import { h } from "../dom/h.js";
import { View } from "../dom/view.js";
import { clean } from "../text.js";
import { route, to } from "../router.js";
import { store } from "../store/store.js";
import { age, running, waiting } from "../store/subarray.js";
import { duration } from "../time.js";
import { icon } from "../parts/icons.js";
import { badge, look, lookOfSubarray } from "../parts/states.js";
import { RUN, TABS } from "./tabs.js";

/** @import { Subarray } from "../types" */

class SubarrayView extends View {
  /** Why the other views could not be loaded; empty if they could. */
  #problem = "";
  #loading = false;

  /** @override */
  attached() {
    this.#load();
  }

  async #load() {
    if (this.#loading) return;
    this.#loading = true;
    try {
      await import("./others.js");
      this.#problem = "";
    } catch {
      this.#problem = "This view could not be loaded. Load the page again when the service can be reached.";
    }
    this.#loading = false;
    this.refresh();
  }

  /** @override */
  view() {
    const { subarray: number, tab, rest } = route();
    const subarray = store.subarray(number);
    if (!subarray) return this.#nothing(number);
    const chosen = tab === RUN.name ? RUN : TABS.find((each) => each.name === tab);
    const old = age(store.state, subarray);
    return [
      h("div", { class: `heading ${old === null ? "" : "stale"}` }, h("h1", null, `Subarray ${subarray.number}`), this.#state(subarray)),
      h(
        "nav",
        { class: "tabs", "aria-label": `Views of subarray ${subarray.number}` },
        TABS.map((each) => this.#tab(subarray, each, each.name === tab || (tab === RUN.name && each.name === "now"))),
      ),
      this.#unavailable(subarray),
      subarray.question ? h("oet-question", { key: "question", ".number": subarray.number }) : null,
      h(
        "div",
        { class: `tab ${old === null ? "" : "stale"}` },
        chosen
          ? this.#chosen(subarray, chosen, rest.join("/"))
          : h("p", { class: "empty" }, "There is no such view. ", h("a", { href: to(subarray.number) }, "Show what runs")),
      ),
    ];
  }

  /**
   * @param {Subarray} subarray
   * @param {import("./tabs.js").Tab} chosen
   * @param {string} rest
   */
  #chosen(subarray, chosen, rest) {
    // An element that is not defined yet would not take its properties.
    if (!customElements.get(chosen.element)) return h("p", { class: "empty" }, this.#problem || "…");
    return h(chosen.element, { key: `${subarray.number}/${chosen.name}`, ".number": subarray.number, ".rest": rest });
  }

  /** @param {Subarray} subarray */
  #state(subarray) {
    const health = subarray.status?.health_state;
    return h(
      "div",
      { class: "states" },
      badge(lookOfSubarray(subarray, running(subarray))),
      health && health !== "OK" ? badge(look(health)) : null,
      subarray.status && subarray.status.admin_mode !== "ONLINE"
        ? badge({ word: subarray.status.admin_mode.replace("_", " ").toLowerCase(), icon: "warning", tone: "held" })
        : null,
      h("span", { class: "device" }, subarray.device),
    );
  }

  /**
   * @param {Subarray} subarray
   * @param {import("./tabs.js").Tab} tab
   * @param {boolean} here
   */
  #tab(subarray, tab, here) {
    const count = tab.name === "queue" ? waiting(subarray).length : 0;
    return h(
      "a",
      { key: tab.name, href: to(subarray.number, tab.name), "aria-current": here ? "page" : null },
      tab.title,
      count ? h("span", { class: "count" }, String(count)) : null,
    );
  }

  /** @param {Subarray} subarray */
  #unavailable(subarray) {
    if (subarray.available === false) {
      const since = age(store.state, subarray) ?? 0;
      return h(
        "p",
        { class: "notice tone-bad", role: "alert" },
        icon("warning"),
        h("strong", null, `${subarray.device} does not answer.`),
        h("span", { "aria-hidden": "true" }, ` The values shown are ${duration(since)} old.`),
        h("span", null, " It is shown here when it is back."),
      );
    }
    if (subarray.error) return h("p", { class: "notice tone-bad", role: "alert" }, icon("warning"), clean(subarray.error));
    return null;
  }

  /** @param {number | null} number */
  #nothing(number) {
    const known = [...store.state.subarrays.keys()];
    if (!known.length) return h("p", { class: "empty" }, "Nothing is known yet.");
    return h("p", { class: "empty" }, `There is no subarray ${number} here. `, h("a", { href: "#/" }, "Show all subarrays"));
  }
}

customElements.define("oet-subarray", SubarrayView);
