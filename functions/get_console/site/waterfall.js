// Where a job's time and money went: one bar for each segment on a common axis.

import { dollars, h, seconds, words } from "./dom.js";

const MEANING = {
  validate: "the request checked and priced",
  rate_limit: "the user's limits checked",
  start: "written down, the execution started",
  slot: "queued for the provider",
  retry: "earlier submissions",
  submit: "given to the provider",
  queue: "waiting for the model, cold boot included",
  run: "the model worked",
  notify: "until the end was known here",
  wake: "until the next step ran",
  store: "files fetched and stored",
  finalize: "the end written",
};
const MOVED = { hold: "held", charge: "charged", release: "given back", overrun: "paid by the deployment", late: "paid by the deployment", orphan: "orphaned", correction: "corrected" };
const SHORT = 0.1; // seconds: our own steps below it stand in one row
const NARROWEST = 0.4;
const TICKS = 6;
const FEW_TICKS = 3; // on a phone

export function waterfall(timeline) {
  const whole = timeline.wallTime || 1;
  const start = Date.parse(timeline.createdAt);
  const at = (iso) => Math.max(0, Math.min(100, (Date.parse(iso) - start) / 10 / whole));
  const failed = timeline.status === "failed" ? culprit(timeline) : null;
  const draw = (segment) => {
    const bar = h("span", { class: `bar ${segment.actor} of-${segment.name} ${segment === failed ? "failed" : ""}` });
    bar.style.left = `${Math.min(at(segment.start), 100 - NARROWEST)}%`;
    bar.style.width = `${Math.max(NARROWEST, Math.min((segment.seconds / whole) * 100, 100 - at(segment.start)))}%`;
    return bar;
  };
  const step = tick(whole);
  const tip = h("div", { class: "tip", hidden: true, "aria-hidden": "true" });
  const isShort = (segment) => segment.actor === "workflow" && segment.seconds < SHORT && segment !== failed;
  const short = timeline.segments.filter(isShort);
  const folded = short.length > 1 ? short : [];
  const rows = [];
  for (const segment of timeline.segments) {
    if (!folded.includes(segment)) rows.push(row(words(segment.name), [draw(segment)], segment.seconds, explained(segment), tipOf(segment), { step, whole, tip }));
    else if (segment === folded[0]) {
      const total = folded.reduce((sum, each) => sum + each.seconds, 0);
      const names = folded.map((each) => `${words(each.name)} ${seconds(each.seconds)}`).join(", ");
      rows.push(row(`${folded.length} short steps`, folded.map(draw), total, "of ours, each below 100 ms", names, { step, whole, tip }));
    }
  }
  const money = timeline.events.filter((event) => event.source === "money");
  const chart = h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Bars of the timeline" }, h("table", { class: "waterfall" },
    h("caption", { class: "unseen" }, "Where the time went"),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "unseen" }, "Segment")), h("th", { scope: "col", class: "axis" }, h("span", { class: "unseen" }, "Bar"), axis(whole, step)),
      h("th", { scope: "col" }, h("span", { class: "unseen" }, "Time")), h("th", { scope: "col", class: "meaning" }, h("span", { class: "unseen" }, "What it was")))),
    h("tbody", {}, rows, money.length ? moneyRow(money, at, step, whole) : null)));
  const woken = timeline.wokenBy ? `Woken by the ${timeline.wokenBy}. ` : "";
  const retries = timeline.retries === 1 ? "Submitted again once." : timeline.retries ? `Submitted again ${timeline.retries} times.` : "Submitted once.";
  return h("div", { class: "timeline" }, chart, tip,
    h("p", { class: "hint" }, woken, retries, ` In all ${seconds(timeline.wallTime)}.`),
    h("details", {}, h("summary", {}, `${timeline.events.length} events`), h("ol", { class: "events" }, timeline.events.map((event) =>
      h("li", {}, h("code", {}, event.at.slice(11, 23)), ` ${words(event.name)} `, h("span", { class: "hint" }, event.detail.amount ? dollars(event.detail.amount) : event.source))))));
}

/** The segment in which a failed job failed: the last at the provider, else the last of all. */
function culprit({ segments }) {
  return segments.findLast(({ name }) => name === "run" || name === "queue" || name === "store") || segments.at(-1);
}

function row(name, bars, length, meaning, told, { step, whole, tip }) {
  const track = h("td", { class: "track" }, h("div", { class: "lane", "aria-hidden": "true" }, bars));
  grid(track.firstChild, step, whole);
  const element = h("tr", {}, h("th", { scope: "row" }, name), track, h("td", { class: "number" }, seconds(length)), h("td", { class: "hint meaning" }, meaning));
  element.addEventListener("pointerenter", () => {
    tip.replaceChildren(h("strong", {}, `${name} · ${seconds(length)}`), h("span", {}, told));
    tip.hidden = false;
    const [box, around] = [bars[0].getBoundingClientRect(), tip.parentElement.getBoundingClientRect()];
    tip.style.left = `${Math.max(0, Math.min(box.left - around.left, around.width - tip.offsetWidth))}px`;
    tip.style.top = `${element.getBoundingClientRect().bottom - around.top + 4}px`;
  });
  element.addEventListener("pointerleave", () => { tip.hidden = true; });
  return element;
}

/** Money where it moved, on the same axis; movements of the same moment share a mark. */
function moneyRow(movements, at, step, whole) {
  const text = (event) => `${dollars(event.detail.amount)} ${MOVED[event.name] || event.name}`;
  const marks = movements.map((event) => {
    const mark = h("span", { class: `moved ${event.name}`, title: text(event) });
    mark.style.left = `${Math.min(at(event.at), 99.2)}%`;
    return mark;
  });
  const lane = h("div", { class: "lane", "aria-hidden": "true" }, marks);
  grid(lane, step, whole);
  const paid = movements.filter((event) => event.name === "charge").reduce((sum, event) => sum + Number(event.detail.amount), 0);
  return h("tr", { class: "money" }, h("th", { scope: "row" }, "Money"), h("td", { class: "track" }, lane), h("td", { class: "number" }, dollars(paid)), h("td", { class: "hint meaning" }, movements.map(text).join(", ")));
}

function axis(whole, step) {
  const ticks = [];
  for (let value = 0; value <= whole; value += step) {
    const mark = h("span", {}, value === 0 ? "0" : written(value));
    mark.style.left = `${(value / whole) * 100}%`;
    if (value / whole < 0.96) ticks.push(mark);
  }
  return h("div", { class: "ticks", "aria-hidden": "true" }, ticks);
}

function written(value) {
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  return value < 60 ? `${Number(value.toFixed(1))} s` : `${Number((value / 60).toFixed(1))} min`;
}

function grid(lane, step, whole) {
  lane.style.backgroundSize = `${(step / whole) * 100}% 100%`;
}

/** A round number of seconds, so that a handful of them fill the axis. */
function tick(whole) {
  const rough = whole / (matchMedia("(max-width: 700px)").matches ? FEW_TICKS : TICKS);
  if (rough > 20) return [30, 60, 120, 300, 600, 1800, 3600].find((each) => each >= rough) || Math.ceil(rough / 3600) * 3600;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough);
}

function explained(segment) {
  return [MEANING[segment.name] || "", detail(segment)].filter(Boolean).join(" · ");
}

function tipOf(segment) {
  return [`${segment.start.slice(11, 23)} to ${segment.end.slice(11, 23)} UTC`, explained(segment), segment.detail.replicateId].filter(Boolean).join(" · ");
}

function detail({ name, actor, detail: more }) {
  if (name === "notify") return `by the ${actor}`;
  if (name === "queue" && more.attempt > 1) return `attempt ${more.attempt}`;
  if (name === "store" && more.files) return `${more.files} ${more.files === 1 ? "file" : "files"}`;
  return "";
}
