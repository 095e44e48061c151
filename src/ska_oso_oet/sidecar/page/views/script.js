/** One script: what it says of itself, and a form to run it, to prepare it or to add it to the queue. */

import { create, h } from "../dom/h.js";
import { View } from "../dom/view.js";
import { call } from "../net/api.js";
import { loadProcedure } from "../net/snapshot.js";
import { store } from "../store/store.js";
import { scriptName } from "../store/subarray.js";
import { clean } from "../text.js";
import { action, refusal } from "../parts/action.js";
import "../parts/arguments.js";
import { entryFields, entryOptions } from "../parts/entry_options.js";
import { enqueue, occupied, run } from "../parts/launch.js";

/** @import { ArgumentsElement } from "../parts/arguments.js" */
/** @import { Wanted } from "../parts/launch.js" */
/** @import { Arguments, Procedure, Script, ScriptDescription, Subarray } from "../types" */

class ScriptView extends View {
  /** Number of the subarray. */
  number = 0;
  /** URI of the script; empty if only a run names it. */
  uri = "";
  /** ID of the run whose arguments stand in the form; null for none. @type {number | null} */
  from = null;
  /** @type {ScriptDescription | null} */
  #description = null;
  /** @type {Procedure | null} */
  #before = null;
  #problem = "";
  #note = "";
  #form = /** @type {ArgumentsElement} */ (create(h("oet-arguments")));
  #options = /** @type {HTMLFormElement} */ (create(h("form", null, entryFields())));

  /** @override */
  attached() {
    this.#load();
  }

  /** @override */
  detached() {
    this.#form.remove();
  }

  async #load() {
    const subarray = store.subarray(this.number);
    if (!subarray) return;
    try {
      if (this.from !== null) {
        await loadProcedure(subarray, this.from);
        this.#before = subarray.procedures.get(this.from) ?? null;
      }
      this.#description = await this.#describe();
      this.#form.begin(this.#description.functions, this.#before?.script_args ?? {});
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
    }
    this.refresh();
  }

  /** @returns {Promise<ScriptDescription>} */
  async #describe() {
    const script = this.#before?.script;
    const uri = this.uri || (script?.script_type === "filesystem" ? script.script_uri ?? "" : "");
    if (uri) return call(this.number, "GET", `/scripts/describe?uri=${encodeURIComponent(uri)}`);
    this.#note = "Parameters of this script are not known here: give arguments as JSON.";
    const unknown = { doc: null, parameters: {} };
    return { uri: null, doc: null, functions: { init: unknown, main: unknown } };
  }

  /** @override */
  refresh() {
    super.refresh();
    const place = this.querySelector(".place-of-form");
    if (place && this.#form.parentElement !== place) place.append(this.#form);
    const options = this.querySelector(".place-of-options");
    if (options && this.#options.parentElement !== options) options.append(this.#options);
  }

  /** @override */
  view() {
    const subarray = store.subarray(this.number);
    if (!subarray) return [];
    const name = scriptName(this.#before?.script ?? { script_type: "filesystem", script_uri: this.uri });
    const functions = Object.values(this.#description?.functions ?? {});
    const docs = [this.#description?.doc, ...functions.map((each) => each.doc)].filter(Boolean);
    return h(
      "section",
      { class: "card script", "aria-label": `Script ${clean(name)}` },
      h("h2", null, clean(name), this.#before ? h("span", { class: "id" }, ` again, as #${this.#before.id}`) : null),
      h("p", { class: "quiet" }, h("code", null, clean(this.uri || this.#before?.script.script_uri || ""))),
      this.#problem ? h("p", { class: "reason", role: "alert" }, clean(this.#problem)) : null,
      docs.length ? h("pre", { class: "doc" }, docs.map((each) => clean(withoutParameters(String(each)))).filter(Boolean).join("\n\n")) : null,
      this.#note ? h("p", { class: "quiet" }, this.#note) : null,
      h("div", { key: "form", class: "place-of-form" }),
      this.#description
        ? [
            h("div", { key: "actions", class: "actions" }, this.#buttons(subarray, name)),
            h("details", { key: "options" }, h("summary", null, "Options for the queue"), h("div", { class: "place-of-options" })),
          ]
        : null,
    );
  }

  /**
   * @param {Subarray} subarray
   * @param {string} name
   */
  #buttons(subarray, name) {
    const refused = refusal(subarray);
    const what = `${subarray.number} ${name}`;
    const perform = (/** @type {(script_args: Record<string, Arguments>) => Promise<string | null | void>} */ act) => async () => {
      const given = this.#form.value();
      return given ? act(given) : null;
    };
    return [
      action({
        name: `run ${what}`,
        label: "Run now",
        picture: "play",
        kind: "primary",
        refused: refused ?? occupied(subarray),
        run: perform((given) => run(subarray, this.#wanted(given), true)),
      }),
      action({ name: `prepare ${what}`, label: "Prepare only", picture: "ring", refused, run: perform((given) => run(subarray, this.#wanted(given), false)) }),
      action({
        name: `enqueue ${what}`,
        label: "Add to the queue",
        picture: "list",
        refused: refused ?? (this.#script() ? null : "An embedded script that has run is not kept as a text: run it again now."),
        run: perform((script_args) => enqueue(subarray, { procedure: { script: this.#script(), script_args } }, entryOptions(new FormData(this.#options)))),
      }),
    ];
  }

  /** Return the script as a request names it; null if only a run has it. @returns {Script | null} */
  #script() {
    if (!this.#before) return { script_type: "filesystem", script_uri: this.uri };
    const { script, commit } = this.#before;
    if (script.script_type === "embedded") return null;
    if (script.script_type === "filesystem" || !commit) return script;
    return { ...script, git_args: { ...script.git_args, git_commit: commit } };
  }

  /**
   * @param {Record<string, Arguments>} script_args
   * @returns {Wanted}
   */
  #wanted(script_args) {
    const script = this.#script();
    return { script, again: script ? null : this.from, script_args };
  }
}

/**
 * Return a docstring without its parameters, which are described next to their fields.
 *
 * @param {string} doc
 */
function withoutParameters(doc) {
  return doc.replace(/^[ \t]*:(param|type)\b[^\n]*(\n[ \t]+(?!:)\S[^\n]*)*/gm, "").replace(/\n{3,}/g, "\n\n").trim();
}

customElements.define("oet-script", ScriptView);
