/** Files of a run: pictures are shown, others can be saved. */

import { h } from "../dom/h.js";
import { View } from "../dom/view.js";
import { address, call } from "../net/api.js";
import { store } from "../store/store.js";
import { hasEnded } from "../store/subarray.js";
import { clean, counted, size } from "../text.js";

/** @import { Procedure, ProcedureFile } from "../types" */

const PICTURE = /\.(png|jpe?g|gif|webp)$/i;

/** Milliseconds between two looks at the files of a script that runs and says something. */
const PACE = 2000;

class Files extends View {
  number = 0;
  procedure = 0;
  /** @type {{files: ProcedureFile[], omitted: number} | null} */
  #listed = null;
  #looked = "";
  #busy = false;

  /** @override */
  view() {
    this.#look();
    const files = this.#listed?.files ?? [];
    if (!files.length) return h("p", { class: "quiet" }, this.#none());
    const pictures = files.filter((file) => file.kept && PICTURE.test(file.name));
    const others = files.filter((file) => !pictures.includes(file));
    return [
      pictures.length ? h("ul", { class: "pictures" }, pictures.map((file) => this.#picture(file))) : null,
      others.length ? h("ul", { class: "files" }, others.map((file) => this.#file(file))) : null,
      this.#listed?.omitted ? h("p", { class: "quiet" }, `${counted(this.#listed.omitted, "further file")} not kept.`) : null,
    ];
  }

  #none() {
    const procedure = store.subarray(this.number)?.procedures.get(this.procedure);
    if (!this.#listed || !procedure) return "…";
    return hasEnded(procedure) ? "It has left no files." : "No files yet. What the script saves in its working directory is shown here.";
  }

  /** @param {ProcedureFile} file */
  #picture(file) {
    // A picture that is written again has another size, as a rule: the browser is not to show the former one.
    const source = `${this.#address(file)}?size=${file.size}`;
    return h(
      "li",
      { key: file.name },
      h("a", { href: source, target: "_blank", rel: "noopener" }, h("img", { src: source, alt: `Picture ${clean(file.name)}`, loading: "lazy" }), h("span", null, clean(file.name))),
    );
  }

  /** @param {ProcedureFile} file */
  #file(file) {
    const name = clean(file.name);
    return h(
      "li",
      { key: file.name },
      file.kept ? h("a", { href: this.#address(file), target: "_blank", rel: "noopener" }, name) : h("span", null, name),
      h("span", { class: "quiet" }, ` ${size(file.size)}${file.kept ? "" : ", too large to be kept"}`),
    );
  }

  /** @param {ProcedureFile} file */
  #address(file) {
    return address(this.number, `/procedures/${this.procedure}/files/${file.name.split("/").map(encodeURIComponent).join("/")}`);
  }

  /** Look at the files, if something has happened since the last look. */
  #look() {
    const subarray = store.subarray(this.number);
    const procedure = subarray?.procedures.get(this.procedure);
    if (!subarray || !procedure || this.#busy || document.hidden) return;
    const run = `${this.number}/${this.procedure}`;
    const state = `${run} ${procedure.state} ${hasEnded(procedure) ? "" : Math.floor(Date.now() / PACE / 2)}`;
    if (this.#looked === state) return;
    if (!this.#looked.startsWith(`${run} `)) this.#listed = null;
    this.#looked = state;
    this.#read(procedure);
  }

  /** @param {Procedure} procedure */
  async #read(procedure) {
    this.#busy = true;
    try {
      const listed = await call(this.number, "GET", `/procedures/${procedure.id}/files`);
      if (procedure.id === this.procedure) this.#listed = listed;
    } catch {
      this.#looked = "";
    }
    this.#busy = false;
    this.refresh();
  }
}

customElements.define("oet-files", Files);
