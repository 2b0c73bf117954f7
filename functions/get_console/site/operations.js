// How the service does, over all users: for its operators.

import { identity, request } from "./api.js";
import { bars, legend, table } from "./charts.js";
import { dollars, h, seconds, tile } from "./dom.js";

export const title = "Operations";
const CARD_EDGES = 42;
const ENDS = ["succeeded", "failed", "canceled"];
const SPANS = [[24, "24 hours"], [72, "3 days"], [168, "7 days"], [720, "30 days"]];

export async function show(root, { parameters, signal }) {
  const hours = Number(parameters.get("hours")) || 24;
  const span = h("select", { id: "span", onchange: () => { location.hash = `#/operations?hours=${span.value}`; } },
    SPANS.map(([value, text]) => h("option", { value, selected: value === hours }, text)));
  root.append(h("h1", {}, "Operations"));
  if (identity.kind === "token") {
    root.append(h("p", { class: "notice" }, "These figures are over all users; a user's token does not open them."));
    return;
  }
  const found = await request("GET", "operations", { query: { hours }, signal });
  const width = Math.max(280, root.clientWidth - CARD_EDGES); // so that its words are as large as all others
  root.append(
    h("form", { class: "filters", "aria-label": "Span" }, h("div", { class: "field" }, h("label", { for: "span" }, "Over the last"), span)),
    tiles(found),
    h("section", { class: "card", "aria-labelledby": "by-hour" }, h("h2", { id: "by-hour" }, "Jobs by hour"), bars(found.byHour, ENDS, { written: String, width, place: time, each: "an hour" }), legend(ENDS)),
    h("section", { class: "card", "aria-labelledby": "spend" }, h("h2", { id: "spend" }, "Spend by hour"), bars(found.byHour, ["spend"], { written: dollars, width, place: time, each: "an hour" })),
    h("section", { class: "card", "aria-labelledby": "by-model" }, h("h2", { id: "by-model" }, "Models"), models(found.spend.byModel)),
    h("section", { class: "card", "aria-labelledby": "failures" }, h("h2", { id: "failures" }, "Why jobs failed"), failures(found.failures)),
  );
}

function tiles({ jobs, successRate, latency, spend, orphaned, wokenBy, oldestWaiting }) {
  const running = jobs.pending + jobs.processing + jobs.storing;
  const woken = Object.entries(wokenBy);
  return h("dl", { class: "tiles" },
    tile("Success rate", successRate === null ? "–" : `${(successRate * 100).toFixed(1)} %`, `${jobs.succeeded} succeeded, ${jobs.failed} failed, ${jobs.canceled} canceled`),
    tile("Running now", String(running), `${jobs.pending} pending, ${jobs.processing} processing, ${jobs.storing} storing`),
    tile("Time to a result", seconds(latency.p50), `95 %: ${seconds(latency.p95)}, 99 %: ${seconds(latency.p99)}`),
    tile("Waiting for a model", seconds(latency.phases.queue?.p50), `95 %: ${seconds(latency.phases.queue?.p95)}`),
    tile("Spend", dollars(spend.total), `${dollars(spend.estimated)} estimated`),
    tile("Orphaned", dollars(orphaned.cost), `${orphaned.predictions} predictions without a job`),
    tile("Woken by the webhook", woken.length ? share(wokenBy.webhook, woken) : "–", woken.map(([name, count]) => `${name} ${count}`).join(", ") || "no job has ended"),
    tile("Oldest waiting", oldestWaiting ? seconds(oldestWaiting.seconds) : "none",
      oldestWaiting ? h("a", { href: `#/jobs/${oldestWaiting.jobId}` }, "its job") : "no job waits for its prediction"));
}

function share(part, all) {
  return `${Math.round(((part || 0) / all.reduce((sum, [, count]) => sum + count, 0)) * 100)} %`;
}

function time({ hour }) {
  return new Date(hour).toLocaleString([], { weekday: "short", hour: "2-digit", minute: "2-digit" });
}

function models(all) {
  if (!all.length) return h("p", { class: "hint" }, "No jobs in this time.");
  return table("Table of models", ["Model", "Succeeded", "Failed", "Canceled", "Running", "Median time", "Spend"], all.map((model) => [
    h("a", { href: `#/jobs?modelId=${encodeURIComponent(model.modelId)}` }, model.modelId),
    model.succeeded, model.failed, model.canceled, model.running, seconds(model.latency?.p50), dollars(model.spend)]));
}

function failures(all) {
  if (!all.length) return h("p", { class: "hint" }, "None failed.");
  return h("dl", {}, all.flatMap(({ code, jobs }) => [h("dt", {}, code), h("dd", {}, String(jobs))]));
}
