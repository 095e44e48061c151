/** A form for the arguments of a script, made from its description. */

import { h } from "../dom/h.js";
import { View } from "../dom/view.js";
import { clean } from "../text.js";
import { fieldsOf, fill, read } from "./parameters.js";
import { takes } from "./schema.js";

/** @import { Arguments, FunctionDescription, Schema } from "../types" */
/** @import { Field } from "./parameters.js" */

/** @type {Record<string, string>} */
const TITLES = { init: "Prepare: init", main: "Run: main" };

class ArgumentsForm extends View {
  /** @type {Record<string, FunctionDescription>} */
  #functions = {};
  /** Typed values, by function and field. @type {Map<string, Map<string, string>>} */
  #texts = new Map();
  /** @type {Map<string, Map<string, string>>} */
  #errors = new Map();

  /**
   * Begin a form.
   *
   * @param {Record<string, FunctionDescription>} functions
   * @param {Record<string, Arguments>} given what stands in it at first
   */
  begin(functions, given) {
    this.#functions = functions;
    this.#errors = new Map();
    this.#texts = new Map(
      Object.entries(functions).map(([name, each]) => [name, fill(fieldsOf(each), given[name])]),
    );
    this.refresh();
  }

  /**
   * Return the arguments; null if something is wrong, which is shown then.
   *
   * @returns {Record<string, Arguments> | null}
   */
  value() {
    /** @type {Record<string, Arguments>} */
    const found = {};
    this.#errors = new Map();
    for (const [name, description] of Object.entries(this.#functions)) {
      const { given, errors } = read(fieldsOf(description), this.#texts.get(name) ?? new Map());
      found[name] = given;
      if (errors.size) this.#errors.set(name, errors);
    }
    this.refresh();
    if (!this.#errors.size) return found;
    /** @type {HTMLElement | null} */ (this.querySelector("[aria-invalid]"))?.focus();
    return null;
  }

  /** @override */
  view() {
    const functions = Object.entries(this.#functions);
    return functions.map(([name, description]) => {
      const fields = fieldsOf(description);
      return h(
        "fieldset",
        { key: name, class: "arguments-form" },
        h("legend", null, TITLES[name] ?? clean(name)),
        fields.length ? fields.map((each) => this.#field(name, each)) : h("p", { class: "quiet" }, "It takes no arguments."),
      );
    });
  }

  /**
   * @param {string} function_
   * @param {Field} field
   */
  #field(function_, { name, label, schema, required }) {
    const id = `argument-${function_}-${name}`;
    const error = this.#errors.get(function_)?.get(name);
    const chosen = schema.enum || schema.type === "boolean";
    const standard = "default" in schema && !chosen ? `default: ${shown(schema.default)}` : "";
    const hint = [schema.description, chosen ? "" : takes(schema), standard].filter(Boolean).join(" · ");
    return h(
      "div",
      { key: name, class: `field ${error ? "wrong" : ""}` },
      h("label", { for: id }, clean(label), required ? h("span", { class: "required" }, " required") : null),
      h("div", { class: "input" }, this.#input(function_, name, schema, { id, required, error }), schema.unit ? h("span", { class: "unit" }, clean(schema.unit)) : null),
      h("small", { id: `${id}-hint` }, clean(hint)),
      h("small", { id: `${id}-error`, class: "error", role: "alert" }, error ? clean(error) : ""),
    );
  }

  /**
   * @param {string} function_
   * @param {string} name
   * @param {Schema} schema
   * @param {{id: string, required: boolean, error: string | undefined}} options
   */
  #input(function_, name, schema, { id, required, error }) {
    const texts = this.#texts.get(function_);
    const common = {
      id,
      "aria-describedby": `${id}-hint ${id}-error`,
      "aria-invalid": error ? "true" : null,
      "aria-required": required ? "true" : null,
      ".value": texts?.get(name) ?? "",
    };
    const take = (/** @type {Event} */ event) => {
      texts?.set(name, /** @type {HTMLInputElement} */ (event.target).value);
      if (this.#errors.get(function_)?.delete(name)) this.refresh();
    };
    const choices = schema.enum ?? (schema.type === "boolean" ? [true, false] : null);
    if (choices) {
      const none = required ? "Choose" : `Default${"default" in schema ? `: ${shown(schema.default)}` : ""}`;
      const text = texts?.get(name) ?? "";
      return h(
        "select",
        { ...common, ".value": undefined, onchange: take },
        h("option", { value: "", ".selected": text === "" }, clean(none)),
        choices.map((each) => h("option", { value: String(each), ".selected": text === String(each) }, clean(shown(each)))),
      );
    }
    const numeric = schema.type === "integer" || schema.type === "number";
    return h("input", {
      ...common,
      type: "text",
      inputmode: numeric ? "decimal" : null,
      autocomplete: "off",
      spellcheck: "false",
      placeholder: "default" in schema ? shown(schema.default) : null,
      oninput: take,
    });
  }
}

/** @param {unknown} value */
function shown(value) {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (value === null) return "none";
  return typeof value === "string" ? value || '""' : JSON.stringify(value);
}

customElements.define("oet-arguments", ArgumentsForm);

/** @typedef {ArgumentsForm} ArgumentsElement */
