/** Icons with words: no state is shown by colour alone, and each icon has its word. */

import { h } from "../dom/h.js";

/** @type {Record<string, string>} */
const PATHS = {
  play: "M5 3.2v9.6L13 8z",
  pause: "M4.5 3h2.5v10H4.5zM9 3h2.5v10H9z",
  step: "M3.5 3.2v9.6L10 8zM10.5 3h2v10h-2z",
  reset: "M8 2.500V.5l4 3-4 3v-2a4 4 0 1 0 4 4h2a6 6 0 1 1-6-6z",
  stop: "M4 4h8v8H4z",
  abort: "M5.2 2h5.6L14 5.2v5.6L10.8 14H5.2L2 10.8V5.2zM5.4 6.6 6.6 8 5.4 9.4l1.2 1.2L8 9.4l1.4 1.2 1.2-1.2L9.4 8l1.2-1.4-1.2-1.2L8 6.6 6.6 5.4z",
  check: "M6.4 12.4 2.4 8.4l1.4-1.4 2.6 2.5 5.8-5.8 1.4 1.4z",
  cross: "M4.2 2.8 8 6.6l3.8-3.8 1.4 1.4L9.4 8l3.8 3.8-1.4 1.4L8 9.4l-3.8 3.8-1.4-1.4L6.6 8 2.8 4.2z",
  question: "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM5.4 6.2h1.7c0-.6.4-1 1-1s.9.4.9.8c0 .5-.3.7-.8 1.1-.7.5-1.1 1-1.1 2.1h1.7c0-.6.2-.8.8-1.2.7-.5 1.1-1.1 1.1-2 0-1.400-1.100-2.300-2.600-2.300-1.600 0-2.700 1-2.700 2.500zM7 10.300h1.800v1.800H7z",
  warning: "M8 1.600 15 14H1zM7.200 6v4h1.600V6zm0 5.100v1.500h1.600v-1.500z",
  clock: "M8 1.500a6.500 6.500 0 1 1 0 13 6.500 6.500 0 0 1 0-13zM7.200 4v4.500l3.200 1.900.8-1.300-2.500-1.500V4z",
  dot: "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6z",
  ring: "M8 3a5 5 0 1 1 0 10A5 5 0 0 1 8 3zm0 1.700a3.300 3.300 0 1 0 0 6.600 3.300 3.300 0 0 0 0-6.600z",
  unknown: "M3 7.200h10v1.600H3z",
  up: "M8 4.500 2.500 10l1.300 1.300L8 7.100l4.200 4.200L13.500 10z",
  down: "M8 11.500 2.500 6l1.300-1.300L8 8.900l4.200-4.200L13.500 6z",
  right: "M6 2.500 11.500 8 6 13.500l-1.300-1.300L8.900 8 4.700 3.800z",
  copy: "M5 1.500h8.500V11H11v3.500H2.500V5H5zm1.500 1.500v2H11v4.500h1V3zM4 6.500V13h5.500V6.500z",
  search: "M7 2a5 5 0 0 1 4 8l3 3-1.200 1.200-3-3A5 5 0 1 1 7 2zm0 1.700a3.300 3.300 0 1 0 0 6.600 3.300 3.300 0 0 0 0-6.600z",
  file: "M3.500 1.500h6L13 5v9.500H3.500zM5 3v10h6.500V6h-3V3z",
  user: "M8 2a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM2.500 14c0-3 2.400-4.800 5.500-4.800s5.500 1.800 5.500 4.800z",
  screen: "M1.500 3h13v8.500H9V13h2v1.500H5V13h2v-1.500H1.500zM3 4.500V10h10V4.500z",
  list: "M2 3.500h2v2H2zm3.500.2H14v1.600H5.500zM2 7h2v2H2zm3.500.2H14v1.600H5.500zM2 10.500h2v2H2zm3.500.2H14v1.600H5.500z",
};

/**
 * Describe a picture that only decorates its word.
 *
 * @param {string} name
 */
export function icon(name) {
  return h(
    "svg",
    { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true", focusable: "false" },
    h("path", { d: PATHS[name] ?? PATHS["dot"], "fill-rule": "evenodd" }),
  );
}
