/** The head of the page: all subarrays, the clock, the connection, and who uses it. */

import { h } from "../dom/h.js";
import { View } from "../dom/view.js";
import { route, to } from "../router.js";
import { settings } from "../settings.js";
import { store } from "../store/store.js";
import { age, running } from "../store/subarray.js";
import { duration, now, time } from "../time.js";
import { icon } from "./icons.js";
import { chooseSettings, logIn, logOut } from "./session.js";
import { lookOfSubarray } from "./states.js";

/** @import { Subarray } from "../types" */

class Header extends View {
  /** @override */
  view() {
    const here = route();
    const { subarrays, connection } = store.state;
    return [
      h(
        "div",
        { class: "bar" },
        h("a", { class: "brand", href: "#/", "aria-current": here.view === "overview" ? "page" : null }, h("b", null, "OET"), h("span", null, "All subarrays")),
        h(
          "nav",
          { "aria-label": "Subarrays", class: "subarrays" },
          [...subarrays.values()].map((each) => this.#chip(each, here.subarray === each.number, here.tab)),
        ),
        h("div", { class: "clock" }, time(now()), h("span", { class: "unit" }, "UTC")),
        this.#user(),
      ),
      connection.state === "open" ? null : this.#warning(),
      store.state.outdated
        ? h("p", { class: "notice", role: "status" }, "The service has a newer version of this page.", h("button", { type: "button", class: "button small", onclick: () => location.reload() }, "Load it"))
        : null,
    ];
  }

  /**
   * @param {Subarray} subarray
   * @param {boolean} here
   * @param {string} tab
   */
  #chip(subarray, here, tab) {
    const how = lookOfSubarray(subarray, running(subarray));
    return h(
      "a",
      {
        key: subarray.number,
        class: `chip tone-${how.tone} ${age(store.state, subarray) === null ? "" : "stale"}`,
        href: here ? to(subarray.number) : to(subarray.number, ...(tab && tab !== "runs" ? [tab] : [])),
        "aria-current": here ? "true" : null,
        title: `Subarray ${subarray.number}: ${how.word}`,
      },
      icon(how.icon),
      h("span", null, String(subarray.number)),
      h("span", { class: "for-readers" }, ` ${how.word}`),
    );
  }

  #user() {
    const { session } = store.state;
    const name = session?.user ?? settings.user;
    const known = session?.role === "operator" || session?.user;
    const login = session?.login
      ? known
        ? h("button", { type: "button", class: "button small", onclick: logOut }, "Log out")
        : h("button", { type: "button", class: "button small primary", onclick: logIn }, "Log in")
      : null;
    return h(
      "div",
      { class: "user" },
      h("button", { type: "button", class: "plain", onclick: chooseSettings, title: "Settings and shortcuts" }, icon("user"), h("span", null, name || "No name")),
      login,
    );
  }

  #warning() {
    const { state, since, reason } = store.state.connection;
    if (state === "connecting") return h("p", { class: "notice", role: "status" }, "Connecting …");
    const age = duration(now() - since);
    return h(
      "p",
      { class: "notice tone-bad", role: "alert" },
      icon("warning"),
      h("strong", null, state === "refused" ? "Log in to see anything." : "Connection lost."),
      // Values that change every second are not read out each time.
      h("span", { "aria-hidden": "true" }, state === "refused" ? "" : ` The values shown are ${age} old. `),
      h("span", null, ` ${reason}`),
    );
  }
}

customElements.define("oet-header", Header);
