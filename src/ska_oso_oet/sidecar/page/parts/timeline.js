/** Bars over time, as a picture (SVG). A table has the same content. */

import { h } from "../dom/h.js";
import { clean, shorten } from "../text.js";
import { utc } from "../time.js";

const WIDTH = 1000;
const ROW = 26;
const AXIS = 22;
const LABEL = 170;

/** Seconds between two marks of the axis. */
const STEPS = [60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600, 7 * 24 * 3600];

/**
 * A line of a timeline.
 *
 * @typedef {{key: string | number, label: string, bars: Bar[]}} Line
 * @typedef {{from: number, to: number, tone: string, title: string, sure?: boolean}} Bar
 */

/**
 * Describe a timeline.
 *
 * @param {string} title says what it shows
 * @param {Line[]} lines
 * @param {{from: number, to: number, now: number}} span seconds since 1970
 */
export function timeline(title, lines, { from, to, now }) {
  const scale = (/** @type {number} */ when) => LABEL + ((Math.min(to, Math.max(from, when)) - from) / (to - from)) * (WIDTH - LABEL);
  const height = AXIS + lines.length * ROW;
  return h(
    "svg",
    { class: "timeline", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": title },
    marks(from, to).map((when) => [
      h("line", { key: `l${when}`, class: "mark", x1: scale(when), x2: scale(when), y1: AXIS - 4, y2: height }),
      h("text", { key: `t${when}`, class: "when", x: scale(when) + 3, y: 14 }, utc(when).slice(0, -3)),
    ]),
    lines.map(({ key, label, bars }, row) =>
      h(
        "g",
        { key, transform: `translate(0 ${AXIS + row * ROW})` },
        h("text", { class: "name", x: 0, y: 17 }, clean(shorten(label, 24))),
        bars.map((bar, place) =>
          h(
            "rect",
            { key: place, class: `bar tone-${bar.tone} ${bar.sure === false ? "guess" : ""}`, x: scale(bar.from), y: 4, rx: 3, height: ROW - 8, width: Math.max(3, scale(bar.to) - scale(bar.from)) },
            h("title", null, clean(bar.title)),
          ),
        ),
      ),
    ),
    now > from && now < to ? h("line", { key: "now", class: "now", x1: scale(now), x2: scale(now), y1: 0, y2: height }) : null,
  );
}

/**
 * Return the times of the marks of the axis: at most eight, at round times in UTC.
 *
 * @param {number} from
 * @param {number} to
 */
function marks(from, to) {
  const step = STEPS.find((each) => (to - from) / each <= 8) ?? /** @type {number} */ (STEPS.at(-1));
  const found = [];
  for (let when = Math.ceil(from / step) * step; when < to; when += step) found.push(when);
  return found;
}
