/** The tabs of a subarray. A view is added here, and nowhere else. */

/**
 * @typedef {object} Tab
 * @property {string} name what its address has behind the number of the subarray
 * @property {string} title
 * @property {string} element its custom element: it gets the number of the subarray as `number`, and what
 *   follows the name in the address as `rest`
 */

/** @type {Tab[]} */
export const TABS = [
  { name: "now", title: "Now", element: "oet-now" },
  { name: "queue", title: "Queue", element: "oet-queue" },
  { name: "scripts", title: "Scripts", element: "oet-scripts" },
  { name: "activities", title: "Activities", element: "oet-activities" },
  { name: "history", title: "History", element: "oet-history" },
  { name: "health", title: "Health", element: "oet-health" },
];

/** The view of one run: it has an address and no tab. @type {Tab} */
export const RUN = { name: "runs", title: "Run", element: "oet-run" };
