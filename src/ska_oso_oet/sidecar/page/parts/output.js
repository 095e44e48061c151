/** The output of a run: follows what is written, can be held, searched and copied. */

import { create, h } from "../dom/h.js";
import { VirtualList } from "../dom/virtual_list.js";
import { OutputFollower } from "../net/output.js";
import { clean, counted } from "../text.js";
import { icon } from "./icons.js";
import { complain, say } from "./messages.js";

/** Characters of a line that are shown: longer ones make a browser slow. They are copied whole. */
const SHOWN = 4000;

/** The line that a row shows. @type {WeakMap<HTMLElement, string>} */
const shownLines = new WeakMap();

class Output extends HTMLElement {
  /** Number of the subarray and ID of the procedure. @type {[number, number] | null} */
  #run = null;
  /** @type {OutputFollower | null} */
  #follower = null;
  /** @type {VirtualList<HTMLElement> | null} */
  #list = null;
  #query = "";
  /** Indices of the lines that have what is searched for, and how many lines were looked at. */
  #matches = /** @type {number[]} */ ([]);
  #looked = 0;
  #dropped = 0;
  #at = -1;
  #frame = 0;

  /** @param {[number, number]} run number of the subarray, and ID of the procedure */
  set run(run) {
    if (this.#run && this.#run[0] === run[0] && this.#run[1] === run[1]) return;
    this.#run = run;
    if (this.isConnected) this.#begin();
  }

  connectedCallback() {
    if (!this.firstChild) this.#build();
    document.addEventListener("visibilitychange", this.#visible);
    this.#begin();
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.#visible);
    this.#follower?.close();
    this.#follower = null;
  }

  // A browser has few connections to a service: a hidden page needs none for output.
  #visible = () => {
    if (document.hidden) this.#follower?.close();
    else this.#follower?.resume();
  };

  #begin() {
    if (!this.#run) return;
    const [subarray, procedure] = this.#run;
    this.#follower?.close();
    this.#follower = new OutputFollower(subarray, procedure, () => this.#changed());
    this.#forget();
    this.#list?.follow(true);
    this.#draw();
  }

  #build() {
    const part = (/** @type {string} */ name) => /** @type {any} */ (this.querySelector(name));
    this.append(
      create(
        h(
          "div",
          { class: "toolbar" },
          h("h3", null, "Output"),
          h("span", { class: "note", role: "status" }),
          h(
            "label",
            { class: "search" },
            icon("search"),
            h("span", { class: "for-readers" }, "Search the output"),
            h("input", { type: "search", placeholder: "Search", oninput: () => this.#search(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event) }),
          ),
          h("span", { class: "hits", role: "status" }),
          h("button", { type: "button", class: "button small hold", onclick: () => this.#list?.follow(!this.#list.follows) }, icon("pause"), h("span", null, "Hold")),
          h("button", { type: "button", class: "button small", onclick: () => this.#copy() }, icon("copy"), h("span", null, "Copy")),
        ),
      ),
      create(h("div", { class: "log", role: "region", "aria-label": "Output of the script", tabindex: "0" })),
    );
    const newRow = () => /** @type {HTMLElement} */ (document.createElement("div"));
    const list = new VirtualList(part(".log"), newRow, (row, index) => this.#fill(row, index));
    list.onfollow = () => this.#draw();
    this.#list = list;
  }

  #changed() {
    // Much output in a moment is drawn once.
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#frame = 0;
    const follower = this.#follower;
    const list = this.#list;
    if (!follower || !list) return;
    if (follower.dropped !== this.#dropped) this.#forget();
    this.#dropped = follower.dropped;
    this.#look();
    list.resize(follower.lines.length);
    const note = [counted(follower.lines.length, "line")];
    if (follower.dropped) note.push(`${counted(follower.dropped, "earlier line")} not kept`);
    if (follower.problem) note.splice(0, note.length, clean(follower.problem));
    else if (!follower.ended && !list.follows) note.push("held");
    setText(this.querySelector(".note"), note.join(", "));
    setText(this.querySelector(".hold span"), list.follows ? "Hold" : "Follow");
    this.querySelector(".hold")?.setAttribute("aria-pressed", String(!list.follows));
  }

  /**
   * @param {HTMLElement} row
   * @param {number} index
   */
  #fill(row, index) {
    const line = this.#follower?.lines[index] ?? "";
    const hit = this.#query !== "" && line.toLowerCase().includes(this.#query);
    const name = `${hit ? "hit" : ""} ${index === this.#matches[this.#at] ? "at" : ""}`;
    if (row.className !== name) row.className = name;
    if (shownLines.get(row) === line) return;
    shownLines.set(row, line);
    const text = clean(line.length > SHOWN ? `${line.slice(0, SHOWN)} … ${counted(line.length - SHOWN, "more character")}` : line);
    row.textContent = text;
  }

  // Search

  #search() {
    const field = /** @type {HTMLInputElement} */ (this.querySelector("input"));
    this.#query = field.value.toLowerCase();
    this.#forget();
    this.#look();
    this.#go(this.#matches.length - 1);
  }

  #forget() {
    this.#matches = [];
    this.#looked = 0;
    this.#at = -1;
  }

  #look() {
    const lines = this.#follower?.lines ?? [];
    if (this.#query) {
      for (; this.#looked < lines.length; this.#looked += 1) {
        if (/** @type {string} */ (lines[this.#looked]).toLowerCase().includes(this.#query)) this.#matches.push(this.#looked);
      }
    }
    const count = this.#matches.length;
    const hits = count ? `${this.#at + 1} of ${count.toLocaleString("en")}` : "not found";
    setText(this.querySelector(".hits"), this.#query ? hits : "");
  }

  /** @param {number} place */
  #go(place) {
    const count = this.#matches.length;
    this.#at = count ? (place + count) % count : -1;
    const index = this.#matches[this.#at];
    if (index !== undefined) this.#list?.show(index);
    this.#draw();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const field = /** @type {HTMLInputElement} */ (event.target);
    if (event.key === "Enter") this.#go(this.#at + (event.shiftKey ? -1 : 1));
    else if (event.key === "Escape" && field.value) {
      field.value = "";
      this.#search();
    } else return;
    event.preventDefault();
  }

  async #copy() {
    const lines = this.#follower?.lines ?? [];
    try {
      await navigator.clipboard.writeText(lines.join("\n"));
      say(`${counted(lines.length, "line")} copied.`);
    } catch {
      complain("The browser does not let this page copy: select the lines and copy them.");
    }
  }
}

/**
 * @param {Element | null} node
 * @param {string} text
 */
function setText(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

customElements.define("oet-output", Output);
