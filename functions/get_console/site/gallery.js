// Jobs as pictures, newest first: filters, more as you scroll, new ones as they come, arrow keys.

import { ENDED, request, status } from "./api.js";
import { announce, h, sleep } from "./dom.js";
import { filterBar, isFiltered, queryOf } from "./filters.js";
import { icon } from "./icons.js";
import { identity } from "./identity.js";
import { selectionBar } from "./selection.js";
import { tile } from "./tile.js";

export const title = "Gallery";
const PAGE = 24;
const LOOK_AGAIN_MS = 2500;
const AT_ONCE = 8;
// The list as it was left, for who comes back to it.
let left = null;
export const lastPlace = () => left?.place || "#/jobs";

export async function show(root, { parameters, signal, top }) {
  const { models } = await request("GET", "models", { signal });
  const place = h("div", {});
  let current = new AbortController();
  /** The filters stay as they are typed; the list below them is another. */
  const list = async (set, kept) => {
    current.abort(new DOMException("Other jobs are listed.", "AbortError"));
    const mine = (current = new AbortController());
    const until = AbortSignal.any([signal, mine.signal]);
    const jobs = kept || make(set, models);
    left = { key: keyOf(set), place: placeOf(set), jobs };
    jobs.live(until);
    place.replaceChildren(jobs.element);
    if (kept) scrollTo(0, top);
    else await jobs.load(true);
    jobs.watchEnd(until);
    follow(jobs, until).catch(() => {});
  };
  const trouble = (error) => {
    if (error.name !== "AbortError") place.replaceChildren(h("p", { class: "notice", role: "alert" }, error.message));
  };
  root.append(h("div", { class: "head" }, h("h1", {}, "Gallery"), filterBar(models, parameters, (set) => {
    history.replaceState(history.state, "", placeOf(set));
    list(set).catch(trouble);
  })), place);
  await list(parameters, top > 0 && left?.key === keyOf(parameters) ? left.jobs : null).catch((error) => {
    if (error.name !== "AbortError") throw error;
  });
}

function keyOf(set) {
  return `${identity.shown} ${set}`;
}

function placeOf(set) {
  return set.size ? `#/jobs?${set}` : "#/jobs";
}

function make(parameters, models) {
  const grid = h("ul", { class: "grid-of-jobs", "aria-label": "Jobs" });
  const more = h("button", { type: "button", class: "more-jobs", hidden: true }, "More");
  const none = h("div", { hidden: true }, isFiltered(parameters) ? unmatched() : firstUse(models));
  const known = new Map(); // jobs by id, the newest first
  const selected = new Map();
  const query = queryOf(parameters);
  let current = null; // the signal that ends what is asked for
  let cursor = null;
  let last = null; // the tile that was selected last: where a range begins

  const element = (job) => tile(job, selected.has(job.jobId), (ranged) => toggle(job.jobId, ranged));
  const item = (jobId) => grid.querySelector(`[data-job="${jobId}"]`);
  const bar = selectionBar(selected, {
    removed(jobId) {
      item(jobId)?.remove();
      known.delete(jobId);
      selected.delete(jobId);
      bar.update();
      none.hidden = grid.children.length > 0;
    },
    cleared() {
      for (const box of grid.querySelectorAll(".pick input")) box.checked = false;
      selected.clear();
      changed();
    },
  });
  const changed = () => {
    grid.classList.toggle("selecting", selected.size > 0);
    bar.update();
  };
  const toggle = (jobId, ranged) => {
    const ids = [...grid.children].map((each) => each.dataset.job);
    const on = !selected.has(jobId);
    const [from, to] = [ranged && last ? ids.indexOf(last) : ids.indexOf(jobId), ids.indexOf(jobId)].sort((one, other) => one - other);
    for (const id of ids.slice(from, to + 1)) {
      const job = known.get(id);
      if (!ENDED.has(job.status)) continue;
      if (on) selected.set(id, job);
      else selected.delete(id);
      item(id).querySelector(".pick input").checked = on;
    }
    last = jobId;
    changed();
  };
  grid.addEventListener("keydown", (event) => {
    const here = document.activeElement.closest("li");
    if (event.key === " " && here) {
      event.preventDefault();
      toggle(here.dataset.job, event.shiftKey);
      announce(`${selected.size} selected.`);
    } else move(event);
  });

  const load = async (first = false) => {
    more.disabled = true;
    if (first) grid.replaceChildren(...skeletons());
    let page = { jobs: [], nextCursor: cursor };
    do { // a page may be empty although others follow
      page = await request("GET", "jobs", { query: { ...query, limit: PAGE, cursor: page.nextCursor }, signal: current });
    } while (!page.jobs.length && page.nextCursor);
    cursor = page.nextCursor;
    if (first) grid.replaceChildren();
    for (const job of page.jobs.filter((each) => !known.has(each.jobId))) {
      known.set(job.jobId, job);
      grid.append(element(job));
    }
    none.hidden = grid.children.length > 0;
    more.hidden = !cursor;
    more.disabled = false;
    announce(`${grid.children.length} jobs are shown.`);
  };
  const go = () => load().catch((error) => {
    if (current.aborted) return;
    more.hidden = false;
    more.disabled = false;
    announce(error.message);
  });
  more.addEventListener("click", go);
  const replace = (job) => {
    known.set(job.jobId, job);
    if (selected.has(job.jobId)) selected.set(job.jobId, job);
    const old = item(job.jobId);
    const focused = old.contains(document.activeElement);
    const next = element(job);
    old.replaceWith(next);
    if (focused) next.querySelector("a").focus();
  };
  return {
    load, known, replace,
    element: h("div", {}, grid, none, more, bar.element),
    live(next) { current = next; },
    watchEnd(until) {
      const observer = new IntersectionObserver((entries) => {
        if (entries.some((entry) => entry.isIntersecting) && !more.disabled && !more.hidden) go();
      }, { rootMargin: "600px" });
      observer.observe(more);
      until.addEventListener("abort", () => observer.disconnect());
    },
    /** New jobs above the others, without moving what is looked at. */
    async newer() {
      const { jobs } = await request("GET", "jobs", { query: { ...query, limit: PAGE }, signal: current });
      const fresh = jobs.filter((job) => !known.has(job.jobId));
      const height = document.documentElement.scrollHeight;
      for (const job of fresh.reverse()) {
        known.set(job.jobId, job);
        grid.prepend(element(job));
      }
      if (fresh.length && scrollY > 0) scrollBy(0, document.documentElement.scrollHeight - height);
      if (fresh.length) announce(fresh.length === 1 ? "A new job." : `${fresh.length} new jobs.`);
      none.hidden = grid.children.length > 0;
      for (const job of jobs) if (differs(known.get(job.jobId), job)) replace(job);
    },
  };
}

/** Where tiles will be. */
function skeletons() {
  return Array.from({ length: PAGE / 2 }, () => h("li", { class: "skeleton", "aria-hidden": "true" }, h("span", { class: "thumbnail" })));
}

function differs(before, now) {
  return before.status !== now.status || before.progress !== now.progress;
}

/** New jobs come in by themselves, and those that run are looked at again until they have ended. */
async function follow(gallery, signal) {
  while (!signal.aborted) {
    await sleep(LOOK_AGAIN_MS, signal);
    if (document.hidden) continue;
    await gallery.newer().catch(() => {});
    const running = [...gallery.known.values()].filter((job) => !ENDED.has(job.status)).slice(0, AT_ONCE);
    for (const { jobId } of running) {
      const job = await status(jobId, {}, signal).catch(() => null);
      if (job && differs(gallery.known.get(jobId), job)) gallery.replace({ ...gallery.known.get(jobId), ...job });
    }
  }
}

function unmatched() {
  return h("div", { class: "empty" }, icon("search"), h("h2", {}, "No job matches"),
    h("p", {}, "Try other words or fewer filters."), h("a", { class: "button", href: "#/jobs" }, "Clear the filters"));
}

/** What a person sees who has made nothing yet: something to begin with, of every kind. */
function firstUse(models) {
  const examples = [...new Map(models.filter((model) => model.example?.prompt).reverse().map((model) => [model.mediaType, model])).values()];
  return h("div", { class: "empty" }, icon("stack"), h("h2", {}, "Nothing made yet"),
    h("p", {}, "Jobs of ", h("strong", {}, identity.name), " appear here as soon as there are any, from the playground and from the API."),
    h("div", { class: "actions" }, h("a", { class: "button primary", href: "#/" }, "Make the first")),
    examples.length ? h("ul", { class: "examples" }, examples.map(({ modelId, mediaType, example }) => h("li", {},
      h("a", { href: `#/?${new URLSearchParams({ model: modelId, prompt: example.prompt })}` }, h("span", { class: "hint" }, mediaType), example.prompt)))) : null);
}

/** Arrow keys go from tile to tile as they are seen. */
function move(event) {
  const links = [...event.currentTarget.querySelectorAll("a.job")];
  const here = links.indexOf(document.activeElement);
  if (here < 0) return;
  const top = links[0].getBoundingClientRect().top;
  const columns = links.findIndex((each) => each.getBoundingClientRect().top > top + 1);
  const row = columns < 1 ? links.length : columns;
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: row, ArrowUp: -row, Home: -here, End: links.length - 1 - here };
  const next = links[here + steps[event.key]];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
