/** The base of all elements that show the state of the store. */

import { render } from "./h.js";
import { store } from "../store/store.js";

/** @import { Children } from "./h.js" */

/**
 * An element that renders itself from the store. A class of it says in `view()` what it shows.
 *
 * It renders when it is added to the document, when the store has changed, and after `refresh()`.
 */
export class View extends HTMLElement {
  /** @type {(() => void) | null} */
  #unsubscribe = null;

  connectedCallback() {
    this.#unsubscribe ??= store.subscribe(() => this.refresh());
    this.attached();
    this.refresh();
  }

  disconnectedCallback() {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.detached();
  }

  /** Render now. */
  refresh() {
    if (this.isConnected) render(this, this.view());
  }

  /**
   * Return what this element shows.
   *
   * @returns {Children}
   */
  view() {
    return [];
  }

  /** Called when it has been added to the document. */
  attached() {}

  /** Called when it has been removed from the document. */
  detached() {}
}
