// Where a job's time went: one bar for each segment, from left to right.

import { dollars, h, seconds } from "./dom.js";

const MEANING = {
  validate: "the request checked and priced",
  rate_limit: "the user's limits checked",
  start: "written down, the job's execution started",
  slot: "queued for the provider",
  retry: "earlier submissions",
  submit: "given to the provider",
  queue: "waiting for the model, cold boot included",
  run: "the model worked",
  notify: "until we knew",
  wake: "until the next step ran",
  store: "fetched and stored",
  finalize: "the end written",
};
const NARROWEST = 0.4;

export function waterfall(timeline) {
  const whole = timeline.wallTime || 1;
  const start = Date.parse(timeline.createdAt);
  const rows = timeline.segments.map((segment) => {
    const left = ((Date.parse(segment.start) - start) / 10 / whole);
    const width = Math.max(NARROWEST, (segment.seconds / whole) * 100);
    const bar = h("span", { class: `bar ${segment.actor} of-${segment.name}` });
    bar.style.marginLeft = `${Math.min(left, 100 - NARROWEST)}%`;
    bar.style.width = `${Math.min(width, 100)}%`;
    return h("tr", {},
      h("th", { scope: "row" }, segment.name.replace("_", " ")),
      h("td", { class: "track", "aria-hidden": "true" }, bar),
      h("td", { class: "number" }, seconds(segment.seconds)),
      h("td", { class: "hint" }, [MEANING[segment.name] || "", detail(segment)].filter(Boolean).join(" · ")));
  });
  const woken = timeline.wokenBy ? `Woken by the ${timeline.wokenBy}. ` : "";
  const retries = timeline.retries === 1 ? "Submitted again once." : timeline.retries ? `Submitted again ${timeline.retries} times.` : "Submitted once.";
  return h("div", {},
    h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Bars of the timeline" }, h("table", { class: "waterfall" },
      h("caption", { class: "unseen" }, "Where the time went"),
      h("thead", { class: "unseen" }, h("tr", {}, ["Segment", "Bar", "Time", "What it was"].map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, rows))),
    h("p", {}, woken, retries, ` In all ${seconds(timeline.wallTime)}.`),
    h("details", {}, h("summary", {}, `${timeline.events.length} events`), h("ol", { class: "events" }, timeline.events.map((event) =>
      h("li", {}, h("code", {}, event.at.slice(11, 23)), ` ${event.name.replaceAll("_", " ")} `, h("span", { class: "hint" }, event.detail.amount ? dollars(event.detail.amount) : event.source))))));
}

function detail({ name, actor, detail: more }) {
  if (name === "notify") return `by the ${actor}`;
  if (name === "queue" && more.attempt > 1) return `attempt ${more.attempt}`;
  if (name === "store" && more.files) return `${more.files} ${more.files === 1 ? "file" : "files"}`;
  return "";
}
