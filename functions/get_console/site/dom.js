// Elements, and how numbers and times are written.

const SPELLED = { num: "number of", fps: "frames per second", cfg: "CFG", id: "ID", url: "URL", aug: "augmentation", cond: "conditioning" };
const SVG = "http://www.w3.org/2000/svg";

/** An element: `on…` are listeners, null and false are left out, children are nodes or text. */
export function h(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** The same for SVG. */
export function s(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Told to people who hear the page. */
export function announce(text) {
  document.getElementById("live").textContent = text;
}

export function dollars(amount) {
  if (amount === null || amount === undefined) return "not known";
  const value = Number(amount);
  const digits = value !== 0 && Math.abs(value) < 1 ? Math.min(6, 3 - Math.floor(Math.log10(Math.abs(value)))) : 2;
  return `$${value.toFixed(digits).replace(/(\.\d\d\d*?)0+$/, "$1")}`;
}

export function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 0.9995) return `${Math.round(value * 1000)} ms`;
  if (value < 59.95) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A time that is not measured but foreseen. */
export function roughly(value) {
  return value === null || value === undefined ? "–" : value < 1 ? "1 s" : value < 60 ? `${Math.round(value)} s` : seconds(value);
}

/** Seconds from now to an ISO time. */
export function until(iso) {
  return Math.max(0, (Date.parse(iso) - Date.now()) / 1000);
}

export function bytes(value) {
  if (value === null || value === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  let rest = value;
  for (; rest >= 1024 && unit < 3; unit += 1) rest /= 1024;
  return `${unit ? rest.toFixed(1) : rest} ${units[unit]}`;
}

/** An ISO time as a `time` element in the reader's own zone: how long ago, or exactly. */
export function when(iso, exact = false) {
  if (!iso) return h("span", {}, "–");
  const date = new Date(iso);
  return h("time", { datetime: iso, title: iso }, exact ? date.toLocaleString([], { dateStyle: "medium", timeStyle: "medium" }) : ago(date));
}

function ago(date) {
  const past = (Date.now() - date) / 1000;
  if (past < 60) return "just now";
  if (past < 3600) return `${Math.floor(past / 60)} min ago`;
  if (past < 86400) return `${Math.floor(past / 3600)} h ago`;
  return date.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

/** A name of the API as people write it: `num_outputs` is "Number of outputs". */
export function words(name) {
  const text = name.split("_").map((word) => SPELLED[word] || word).join(" ");
  return text[0].toUpperCase() + text.slice(1);
}

/** One figure with its name and what else to know of it. */
export function tile(name, value, hint) {
  return h("div", { class: "tile" }, h("dt", {}, name), h("dd", {}, value, h("p", { class: "hint" }, hint)));
}

export function badge(status, text = status) {
  return h("span", { class: `badge ${status}` }, text);
}

/** Waits; ends early, with the signal's reason, when it is aborted. */
export function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
