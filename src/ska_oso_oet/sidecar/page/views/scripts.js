/** Scripts: which there are, what they do, and a form to run one. */

import { h } from "../dom/h.js";
import { View } from "../dom/view.js";
import { call } from "../net/api.js";
import { to } from "../router.js";
import { store } from "../store/store.js";
import { scriptName } from "../store/subarray.js";
import { clean, counted } from "../text.js";
import { icon } from "../parts/icons.js";

/** @import { Subarray } from "../types" */

class Scripts extends View {
  /** Number of the subarray. */
  number = 0;
  /** URI of a script, and "from" with the ID of a run to take the arguments from. */
  rest = "";
  /** @type {string[] | null} */
  #uris = null;
  #problem = "";
  #search = "";

  /** @override */
  attached() {
    this.#load();
  }

  async #load() {
    try {
      this.#uris = (await call(this.number, "GET", "/scripts")).scripts;
      this.#problem = "";
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
    }
    this.refresh();
  }

  /** @override */
  view() {
    const subarray = store.subarray(this.number);
    if (!subarray?.loaded) return h("p", { class: "empty" }, "…");
    const [uri, from] = split(this.rest);
    return h(
      "div",
      { class: "two" },
      h("section", { key: "list", class: "card chooser" }, this.#list(subarray, uri)),
      uri || from !== null
        ? h("oet-script", { key: `${uri} ${from}`, ".number": this.number, ".uri": uri, ".from": from })
        : h("p", { key: "none", class: "empty" }, "Choose a script: its description and a form for its arguments are shown here."),
    );
  }

  /**
   * @param {Subarray} subarray
   * @param {string} chosen
   */
  #list(subarray, chosen) {
    const found = (this.#uris ?? []).filter((uri) => uri.toLowerCase().includes(this.#search.toLowerCase()));
    return [
      h(
        "div",
        { key: "tools", class: "toolbar" },
        h("label", { class: "search" }, icon("search"), h("span", { class: "for-readers" }, "Search scripts"), h("input", { type: "search", placeholder: "Search scripts", oninput: this.#typed })),
        h("span", { class: "note" }, this.#uris ? counted(found.length, "script") : ""),
        h("button", { type: "button", class: "button small", onclick: () => this.#load() }, "Read again"),
      ),
      this.#problem ? h("p", { key: "problem", class: "empty" }, clean(this.#problem)) : null,
      this.#uris && !found.length ? h("p", { key: "empty", class: "empty" }, "No script. Scripts are files below the folders of the property ScriptRoots that have a main or an init.") : null,
      h(
        "ul",
        { key: "scripts", class: "choices" },
        found.map((uri) =>
          h(
            "li",
            { key: uri },
            h("a", { href: to(subarray.number, "scripts", uri), "aria-current": uri === chosen ? "true" : null }, h("b", null, clean(scriptName({ script_type: "filesystem", script_uri: uri }))), h("small", null, clean(folderOf(uri)))),
          ),
        ),
      ),
    ];
  }

  #typed = (/** @type {Event} */ event) => {
    this.#search = /** @type {HTMLInputElement} */ (event.target).value;
    this.refresh();
  };
}

/**
 * Return the URI and the ID of a run that an address names.
 *
 * @param {string} rest
 * @returns {[string, number | null]}
 */
function split(rest) {
  const found = /^(.*?)\/?from\/(\d+)$/.exec(rest);
  return found ? [found[1] ?? "", Number(found[2])] : [rest, null];
}

/** @param {string} uri */
function folderOf(uri) {
  const path = uri.replace(/^file:\/\//, "");
  return path.slice(0, path.lastIndexOf("/"));
}

customElements.define("oet-scripts", Scripts);
