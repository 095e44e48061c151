/** Check for another version of this page in the service. */

import { store } from "../store/store.js";

/** Folder of this version of the page: that of the file which the service makes of all modules. */
const FOLDER = new URL(".", import.meta.url).href.replace(document.baseURI.replace(/#.*/, ""), "");

/** Ask the service for the page, and note if it is another one. */
export async function lookForUpdate() {
  try {
    const answer = await fetch(document.baseURI, { cache: "no-cache" });
    store.state.outdated = answer.ok && !(await answer.text()).includes(FOLDER);
    store.changed();
  } catch {
    // The connection is lost again; it is asked when that is back.
  }
}
