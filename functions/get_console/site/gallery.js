// Jobs as pictures, newest first: filters, more as you scroll, arrow keys.

import { ENDED, identity, request, status } from "./api.js";
import { announce, badge, h, sleep, when } from "./dom.js";
import { cost } from "./result.js";

export const title = "Gallery";
const PAGE = 24;
const LOOK_AGAIN_MS = 2500;
const FILTERS = [
  ["status", "Status", ["pending", "processing", "storing", "succeeded", "failed", "canceled"]],
  ["mediaType", "Kind", ["image", "video", "audio", "text", "file"]],
];

export async function show(root, { parameters, signal }) {
  const { models } = await request("GET", "models", { signal });
  const filters = [...FILTERS, ["modelId", "Model", models.map((model) => model.modelId)]];
  const grid = h("ul", { class: "grid-of-jobs", "aria-label": "Jobs" });
  const more = h("button", { type: "button", class: "more-jobs", hidden: true }, "More");
  const none = h("p", { class: "empty", hidden: true }, "There are no such jobs.");
  root.append(h("h1", {}, "Gallery"), h("form", { class: "filters", "aria-label": "Filters" },
    filters.map(([name, label, values]) => filter(name, label, values, parameters))), grid, none, more);
  grid.addEventListener("keydown", move);

  const running = new Map();
  let cursor = null;
  const load = async () => {
    more.disabled = true;
    const query = Object.fromEntries(filters.map(([name]) => [name, parameters.get(name)]));
    let page = { jobs: [], nextCursor: cursor };
    do { // a page may be empty although others follow
      page = await request("GET", "jobs", { query: { ...query, userId: identity.userId, limit: PAGE, cursor: page.nextCursor }, signal });
    } while (!page.jobs.length && page.nextCursor);
    cursor = page.nextCursor;
    for (const job of page.jobs) {
      const item = h("li", {}, card(job));
      if (!ENDED.has(job.status)) running.set(job.jobId, item);
      grid.append(item);
    }
    none.hidden = grid.children.length > 0;
    more.hidden = !cursor;
    more.disabled = false;
    announce(`${grid.children.length} jobs are shown.`);
  };
  const go = () => load().catch((error) => {
    if (signal.aborted) return;
    more.hidden = false;
    more.disabled = false;
    announce(error.message);
  });
  more.addEventListener("click", go);
  const observer = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting) && !more.disabled && !more.hidden) go();
  }, { rootMargin: "600px" });
  signal.addEventListener("abort", () => observer.disconnect());
  await load();
  observer.observe(more);
  refresh(running, signal).catch(() => {});
}

/** Jobs that run are looked at again until they have ended. */
async function refresh(running, signal) {
  while (!signal.aborted) {
    await sleep(LOOK_AGAIN_MS, signal);
    if (document.hidden) continue;
    for (const [jobId, item] of [...running].slice(0, 8)) {
      const job = await status(jobId, {}, signal).catch(() => null);
      if (!job) continue;
      const focused = item.contains(document.activeElement);
      item.replaceChildren(card(job));
      if (focused) item.firstChild.focus();
      if (ENDED.has(job.status)) running.delete(jobId);
    }
  }
}

function filter(name, label, values, parameters) {
  const chosen = parameters.get(name) || "";
  const select = h("select", { id: `filter-${name}` }, h("option", { value: "" }, "all"), values.map((value) => h("option", { value, selected: value === chosen }, value)));
  select.addEventListener("change", () => {
    const query = new URLSearchParams(parameters);
    if (select.value) query.set(name, select.value);
    else query.delete(name);
    location.hash = query.size ? `#/jobs?${query}` : "#/jobs";
  });
  return h("div", { class: "field" }, h("label", { for: `filter-${name}` }, label), select);
}

function card(job) {
  const picture = job.result?.thumbnailUrl;
  return h("a", { class: "job card", href: `#/jobs/${job.jobId}` },
    h("span", { class: "thumbnail" }, picture
      ? h("img", { src: picture, alt: "", loading: "lazy", decoding: "async" })
      : h("span", { class: "blank", "aria-hidden": "true" }, { image: "▣", video: "▶", audio: "♪", text: "¶", file: "❐" }[job.mediaType])),
    h("span", { class: "line" }, h("strong", {}, job.modelId), badge(job.status)),
    h("span", { class: "line hint" }, when(job.createdAt), h("span", {}, cost(job))));
}

/** Arrow keys go from card to card as they are seen. */
function move(event) {
  const cards = [...event.currentTarget.querySelectorAll("a.job")];
  const here = cards.indexOf(document.activeElement);
  if (here < 0) return;
  const top = cards[0].getBoundingClientRect().top;
  const columns = cards.findIndex((each) => each.getBoundingClientRect().top > top + 1);
  const row = columns < 1 ? cards.length : columns;
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: row, ArrowUp: -row, Home: -here, End: cards.length - 1 - here };
  const next = cards[here + steps[event.key]];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
