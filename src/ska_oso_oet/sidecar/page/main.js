/** The beginning: what is shown, and the connection. */

import "./keys.js";
import "./parts/events.js";
import "./parts/files.js";
import "./parts/header.js";
import "./parts/output.js";
import "./parts/question.js";
import "./views/now.js";
import "./views/overview.js";
import "./views/subarray.js";
import { h } from "./dom/h.js";
import { View } from "./dom/view.js";
import { link } from "./net/link.js";
import { route } from "./router.js";
import { store } from "./store/store.js";
import { running, scriptName } from "./store/subarray.js";

class Page extends View {
  /** @override */
  view() {
    document.title = title();
    const { view } = route();
    document.documentElement.classList.toggle("wall", view === "wall");
    if (view === "subarray") return h("oet-subarray");
    if (view === "unknown") return [h("h1", null, "Nothing here"), h("p", { class: "empty" }, "There is no such view. ", h("a", { href: "#/" }, "Show all subarrays"))];
    return h("oet-overview");
  }
}

/** Return the title of the window: what matters most comes first. */
function title() {
  const { view, subarray: number } = route();
  const asking = [...store.state.subarrays.values()].find((each) => each.question);
  if (asking) return `? Subarray ${asking.number} asks – OET`;
  const subarray = view === "subarray" ? store.subarray(number) : undefined;
  if (!subarray) return "All subarrays – OET";
  const runs = running(subarray);
  return `${runs ? `▶ ${scriptName(runs.script)} – ` : ""}Subarray ${subarray.number} – OET`;
}

customElements.define("oet-page", Page);

// An address behind the # is a view: this link is none.
document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main")?.focus();
});

link.run();
