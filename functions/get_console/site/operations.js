// How the service does, over all users: for its operators.

import { request } from "./api.js";
import { bars, choices, legend, table } from "./charts.js";
import { dollars, h, seconds, tile } from "./dom.js";
import { icon } from "./icons.js";
import { identity } from "./identity.js";

export const title = "Operations";
const CARD_EDGES = 38;
const ENDS = ["succeeded", "failed", "canceled"];
const SPANS = [[24, "24 hours"], [72, "3 days"], [168, "7 days"], [720, "30 days"]];
const MOST_BARS = 72;

export async function show(root, { parameters, signal }) {
  const hours = Number(parameters.get("hours")) || 24;
  root.append(h("div", { class: "head" }, h("h1", {}, "Operations"), h("div", { class: "end" }, choices("Over the last", SPANS, hours, (value) => `#/operations?hours=${value}`))));
  if (!identity.operator) {
    root.append(h("p", { class: "notice calm" }, "These figures are over all users; a user's token does not open them."));
    return;
  }
  const from = new Date(Date.now() - hours * 3_600_000).toISOString().slice(0, 10);
  const [found, byUser] = await Promise.all([
    request("GET", "operations", { query: { hours }, signal }),
    request("GET", "usage", { query: { from, by: "userId" }, signal }),
  ]);
  const place = h("div", { class: "ops" });
  root.append(place);
  const rows = lively(found.byHour);
  const grouped = rows.length > MOST_BARS ? byDay(rows) : rows;
  const [each, written] = grouped === rows ? ["an hour", hour] : ["a day", day];
  const width = () => Math.max(280, place.querySelector(".chart-card").clientWidth - CARD_EDGES); // so that its words are as large as all others
  place.append(
    alarms(found.alarms),
    tiles(found),
    h("div", { class: "pair" },
      section("by-hour", each === "an hour" ? "Jobs by hour" : "Jobs by day", "chart-card"),
      section("spend", each === "an hour" ? "Spend by hour" : "Spend by day", "chart-card")),
    section("by-model", "Models", "", models(found.spend.byModel)),
    h("div", { class: "pair" },
      section("by-user", "Spend by user", "", users(byUser.lines)),
      section("failures", "Why jobs failed", "", failures(found.failures))));
  const nothing = () => h("p", { class: "hint" }, "No jobs in this time.");
  place.querySelector("#by-hour").parentElement.append(...(grouped.length
    ? [bars(grouped, ENDS, { written: String, width: width(), place: written, each, whole: true }), legend(ENDS)] : [nothing()]));
  place.querySelector("#spend").parentElement.append(grouped.some((row) => row.spend)
    ? bars(grouped, ["spend"], { written: dollars, width: width(), place: written, each }) : nothing());
}

function section(id, name, kind, ...content) {
  return h("section", { class: `card ${kind}`, "aria-labelledby": id }, h("h2", { id }, name), content);
}

/** What is wrong now, each with what to do about it. Older stages do not tell. */
function alarms(all) {
  if (!all?.length) return "";
  const on = all.filter(({ state }) => state === "ALARM");
  const quiet = all.length - on.length;
  const rest = h("details", {}, h("summary", {}, on.length ? (quiet === 1 ? "1 other is quiet" : `${quiet} others are quiet`) : `All ${all.length} alarms are quiet`),
    h("ul", {}, all.filter((each) => !on.includes(each)).map(alarm)));
  return h("section", { class: `alarms ${on.length ? "notice" : ""}`, "aria-label": "Alarms" }, on.length ? h("ul", {}, on.map(alarm)) : null, rest);
}

function alarm({ name, state, description, runbook }) {
  return h("li", {}, state === "ALARM" ? icon("warning") : null, h("strong", {}, name), " ", description, " ",
    runbook ? h("a", { href: runbook, target: "_blank", rel: "noopener" }, "Runbook", h("span", { class: "unseen" }, ` for ${name}`)) : null);
}

function tiles({ jobs, successRate, latency, spend, orphaned, wokenBy, oldestWaiting, api, queued }) {
  const running = jobs.pending + jobs.processing + jobs.storing;
  const woken = Object.entries(wokenBy);
  return h("dl", { class: "tiles" },
    tile("Job success", successRate === null ? "–" : percent(successRate), `${jobs.succeeded} succeeded, ${jobs.failed} failed, ${jobs.canceled} canceled`),
    api ? tile("Refused at the API", String(api.refused), `4xx, and ${api.faults} failed (5xx), of ${api.requests} requests${api.requests ? `: ${percent((api.refused + api.faults) / api.requests)}` : ""}`) : null,
    tile("Running now", String(running), `${jobs.pending} pending, ${jobs.processing} processing, ${jobs.storing} storing`),
    queued === undefined ? null : tile("Queued for the provider", String(queued), queued ? "they wait for a turn" : "none waits for a turn"),
    tile("Oldest waiting", oldestWaiting ? seconds(oldestWaiting.seconds) : "none",
      oldestWaiting ? h("a", { href: `#/jobs/${oldestWaiting.jobId}` }, "its job") : "no job waits for its prediction"),
    tile("Time to a result", seconds(latency.p50), `95 %: ${seconds(latency.p95)}, 99 %: ${seconds(latency.p99)}`),
    tile("Waiting for a model", seconds(latency.phases.queue?.p50), `95 %: ${seconds(latency.phases.queue?.p95)}`),
    tile("Spend", dollars(spend.total), `${dollars(spend.estimated)} estimated`),
    tile("Orphaned", dollars(orphaned.cost), `${orphaned.predictions} predictions without a job`),
    tile("Woken by the webhook", woken.length ? share(wokenBy.webhook, woken) : "–", woken.map(([name, count]) => `${name} ${count}`).join(", ") || "no job has ended"));
}

function percent(share) {
  return `${(share * 100).toFixed(1)} %`;
}

function share(part, all) {
  return `${Math.round(((part || 0) / all.reduce((sum, [, count]) => sum + count, 0)) * 100)} %`;
}

/** Hours in which something was. The axis names each, so a gap is seen. */
function lively(all) {
  return all.filter((row) => ENDS.some((name) => row[name]) || Number(row.spend));
}

function byDay(rows) {
  const days = new Map();
  for (const row of rows) {
    const name = new Date(row.hour).toDateString();
    const sum = days.get(name) || { hour: row.hour, succeeded: 0, failed: 0, canceled: 0, spend: 0 };
    for (const part of [...ENDS, "spend"]) sum[part] += Number(row[part]);
    days.set(name, sum);
  }
  return [...days.values()];
}

function hour({ hour: at }) {
  return new Date(at).toLocaleString([], { weekday: "short", hour: "2-digit", minute: "2-digit" });
}

function day({ hour: at }) {
  return new Date(at).toLocaleDateString([], { day: "numeric", month: "short" });
}

function models(all) {
  if (!all.length) return h("p", { class: "hint" }, "No jobs in this time.");
  return table("Table of models", ["Model", "Succeeded", "Failed", "Canceled", "Running", "Median time", "Spend"], all.map((model) => [
    h("a", { href: `#/jobs?modelId=${encodeURIComponent(model.modelId)}` }, model.modelId),
    model.succeeded, model.failed, model.canceled, model.running, seconds(model.latency?.p50), dollars(model.spend)]));
}

function users(all) {
  if (!all.length) return h("p", { class: "hint" }, "No jobs in this time.");
  const most = [...all].sort((one, other) => Number(other.spent) + Number(other.held) - Number(one.spent) - Number(one.held)).slice(0, 20);
  return table("Table of users", ["User", "Jobs", "Succeeded", "Spent", "Held"], most.map((line) => [
    h("a", { href: `#/jobs?${new URLSearchParams({ user: line.userId })}` }, line.userId), line.jobs, line.succeeded, dollars(line.spent), dollars(line.held)]));
}

function failures(all) {
  if (!all.length) return h("p", { class: "hint" }, "None failed.");
  return h("dl", { class: "facts" }, all.flatMap(({ code, jobs }) => [h("dt", {}, h("a", { href: "#/jobs?status=failed" }, code)), h("dd", {}, String(jobs))]));
}
