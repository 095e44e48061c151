/** A question of a script, and the form to answer it. */

import { h } from "../dom/h.js";
import { View } from "../dom/view.js";
import { call } from "../net/api.js";
import { store } from "../store/store.js";
import { clean } from "../text.js";
import { duration, now, time } from "../time.js";
import { action, refusal } from "./action.js";
import { icon } from "./icons.js";

/** @import { Question, Subarray } from "../types" */

/** Up to how many choices are buttons: one press answers. */
const BUTTONS = 6;

class QuestionForm extends View {
  /** Number of the subarray. */
  number = 0;
  #typed = "";
  /** ID of the question that was typed for. */
  #of = 0;

  /** @override */
  view() {
    const subarray = store.subarray(this.number);
    const question = subarray?.question;
    if (!subarray || !question) return [];
    if (this.#of !== question.id) {
      this.#of = question.id;
      this.#typed = question.default === null ? "" : shown(question.default);
    }
    return h(
      "section",
      { key: question.id, class: "question", "aria-label": `Question of procedure ${question.procedure_id}` },
      h("div", { class: "asks", role: "alert" }, icon("question"), h("p", null, clean(question.text))),
      h("div", { class: "answers" }, this.#form(subarray, question)),
      h("p", { class: "small" }, this.#notes(question)),
    );
  }

  /**
   * @param {Subarray} subarray
   * @param {Question} question
   */
  #form(subarray, question) {
    const choices = question.choices ?? (question.type === "boolean" ? [true, false] : null);
    if (choices && choices.length <= BUTTONS) {
      return choices.map((choice) => answer(subarray, question, shown(choice), () => choice));
    }
    const label = `Answer${question.unit ? ` in ${clean(question.unit)}` : ""}`;
    const changed = (/** @type {Event} */ event) => {
      this.#typed = /** @type {HTMLInputElement} */ (event.target).value;
    };
    const field = choices
      ? h("select", { name: "answer", onchange: changed, ".value": this.#typed }, h("option", { value: "" }, "Choose"), choices.map((choice) => h("option", { value: shown(choice) }, shown(choice))))
      : h("input", {
          name: "answer",
          type: question.type === "string" ? "text" : "number",
          step: question.type === "integer" ? "1" : "any",
          min: question.minimum,
          max: question.maximum,
          maxlength: "2000",
          autocomplete: "off",
          oninput: changed,
          ".value": this.#typed,
        });
    return [
      h("label", null, h("span", { class: "for-readers" }, label), field),
      question.unit ? h("span", { class: "unit" }, clean(question.unit)) : null,
      answer(subarray, question, "Answer", () => this.#value(question, choices)),
    ];
  }

  /**
   * Return what was typed, as the script gets it. The controller says what is wrong with it.
   *
   * @param {Question} question
   * @param {Question["choices"]} choices
   */
  #value(question, choices) {
    const chosen = choices?.find((choice) => shown(choice) === this.#typed);
    if (chosen !== undefined) return chosen;
    if (question.type === "string" || this.#typed.trim() === "") return this.#typed;
    return Number(this.#typed);
  }

  /** @param {Question} question */
  #notes(question) {
    const { minimum, maximum, deadline } = question;
    return [
      h("span", { key: "who" }, `#${question.procedure_id} asked at `, time(question.asked)),
      minimum === null ? null : h("span", { key: "least" }, `at least ${minimum}`),
      maximum === null ? null : h("span", { key: "most" }, `at most ${maximum}`),
      question.default === null ? null : h("span", { key: "default" }, `default: ${clean(shown(question.default))}`),
      deadline === null ? null : h("span", { key: "until" }, h("b", null, duration(deadline - now())), " left to answer"),
    ];
  }
}

/**
 * @param {Subarray} subarray
 * @param {Question} question
 * @param {string} label
 * @param {() => unknown} value
 */
function answer(subarray, question, label, value) {
  return action({
    name: `answer ${subarray.number} ${question.id} ${label}`,
    label: clean(label),
    kind: "answer",
    refused: refusal(subarray),
    run: async () => {
      await call(subarray.number, "PUT", "/question", { question: question.id, answer: value() });
    },
  });
}

/**
 * Return a value as people write it.
 *
 * @param {string | number | boolean} value
 */
function shown(value) {
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
}

customElements.define("oet-question", QuestionForm);
