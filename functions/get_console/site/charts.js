// Bars over time, and tables of figures.

import { h, s } from "./dom.js";

const [HEIGHT, FOOT, HEAD] = [130, 18, 14];
const MARK_WIDTH = 100; // of a time below a bar

/** Stacked bars, one for each row; what each holds is told by its title and summed up for hearers.
 *  `names` are the parts of a bar, `place` writes where it stands, `each` says how long it is. */
export function bars(rows, names, { written, width, place, each }) {
  const totals = rows.map((row) => names.reduce((sum, name) => sum + Number(row[name]), 0));
  const most = Math.max(...totals, 0);
  const step = width / rows.length;
  const columns = rows.map((row, index) => {
    let y = HEIGHT;
    const label = `${place(row)}: ${names.map((name) => `${written(row[name])} ${name}`).join(", ")}`;
    return s("g", {}, s("title", {}, label), names.map((name) => {
      const tall = (Number(row[name]) / (most || 1)) * (HEIGHT - HEAD);
      y -= tall;
      return s("rect", { class: name, x: index * step + step * 0.1, y, width: step * 0.8, height: tall, rx: Math.min(2, step / 6) });
    }));
  });
  const every = Math.ceil(rows.length / (width / MARK_WIDTH));
  const marks = rows.map((row, index) => (index % every || index * step > width - MARK_WIDTH ? null : s("text", { x: index * step, y: HEIGHT + FOOT - 4 }, place(row))));
  const sum = totals.reduce((all, one) => all + one, 0);
  return s("svg", { class: "chart", viewBox: `0 0 ${width} ${HEIGHT + FOOT}`, role: "img", "aria-label": `In all ${written(sum)}; at most ${written(most)} in ${each}` },
    s("text", { x: 0, y: 10 }, written(most)), columns, marks);
}

export function legend(names) {
  return h("ul", { class: "legend" }, names.map((name) => h("li", { class: name }, name)));
}

/** The first column names the row, the others are figures. */
export function table(label, heads, rows) {
  return h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": label }, h("table", { class: "models" },
    h("thead", {}, h("tr", {}, heads.map((text, index) => h("th", { scope: "col", class: index ? "number" : null }, text)))),
    h("tbody", {}, rows.map(([first, ...figures]) => h("tr", {}, h("th", { scope: "row" }, first),
      figures.map((value) => h("td", { class: "number" }, String(value))))))));
}
