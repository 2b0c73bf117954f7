// Bars over time on two axes, and tables of figures.

import { h, s } from "./dom.js";

const [HEIGHT, FOOT, HEAD, LEFT] = [150, 22, 10, 52];
const MARK_WIDTH = 88; // of a time below a bar
const WIDEST = 46;
const LINES = 3;

/** Stacked bars, one for each row; what each holds is told by its title and summed up for hearers.
 *  `names` are the parts of a bar, `place` writes where it stands, `each` says how long it is. */
export function bars(rows, names, { written, width, place, each, whole = false }) {
  const totals = rows.map((row) => names.reduce((sum, name) => sum + Number(row[name]), 0));
  const most = Math.max(...totals, 0);
  const step = round(most / LINES, whole);
  const top = Math.max(step * Math.ceil(most / step), step);
  const tall = (value) => (value / top) * (HEIGHT - HEAD);
  const lines = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => {
    const y = HEIGHT - tall(index * step);
    return s("g", { class: "gridline" }, s("line", { x1: LEFT, x2: width, y1: y, y2: y }), s("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" }, written(Number((index * step).toPrecision(6)))));
  });
  const room = Math.min(WIDEST, (width - LEFT) / Math.max(1, rows.length));
  const columns = rows.map((row, index) => {
    let y = HEIGHT;
    const label = `${place(row)}: ${names.map((name) => `${written(row[name])} ${name}`).join(", ")}`;
    return s("g", { class: "column" }, s("title", {}, label), s("rect", { class: "reach", x: LEFT + index * room, y: HEAD, width: room, height: HEIGHT - HEAD }), names.map((name) => {
      const height = tall(Number(row[name]));
      y -= height;
      return height ? s("rect", { class: name, x: LEFT + index * room + room * 0.12, y, width: room * 0.76, height, rx: Math.min(2, room / 6) }) : null;
    }));
  });
  const every = Math.ceil(MARK_WIDTH / room);
  const marks = rows.map((row, index) => (index % every || LEFT + index * room > width - MARK_WIDTH + 20 ? null : s("text", { x: LEFT + index * room, y: HEIGHT + FOOT - 5 }, place(row))));
  const sum = totals.reduce((all, one) => all + one, 0);
  return s("svg", { class: "chart", viewBox: `0 0 ${width} ${HEIGHT + FOOT}`, role: "img", "aria-label": `In all ${written(Number(sum.toFixed(6)))}; at most ${written(most)} in ${each}` },
    lines, columns, marks);
}

/** The next number that people count in; a whole one where half a thing is none. */
function round(value, whole) {
  if (!value) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const found = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= value);
  return whole ? Math.max(1, found) : found;
}

export function legend(names) {
  return h("ul", { class: "legend" }, names.map((name) => h("li", { class: name }, name)));
}

/** The first column names the row, the others are figures. */
export function table(label, heads, rows) {
  return h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": label }, h("table", { class: "figures" },
    h("thead", {}, h("tr", {}, heads.map((text, index) => h("th", { scope: "col", class: index ? "number" : null }, text)))),
    h("tbody", {}, rows.map(([first, ...figures]) => h("tr", {}, h("th", { scope: "row" }, first),
      figures.map((value) => h("td", { class: "number" }, String(value))))))));
}

/** One of a few, as links that stay in the address. */
export function choices(label, options, chosen, href) {
  return h("div", { class: "choices", role: "group", "aria-label": label }, options.map(([value, text]) =>
    h("a", { href: href(value), "aria-current": value === chosen ? "true" : null }, text)));
}
