// One job: what it made, what it was asked, what it cost and where its time went.

import { ENDED, request, status } from "./api.js";
import { callbacks } from "./callbacks.js";
import { copyButton } from "./clipboard.js";
import { badge, bytes, dollars, h, seconds, when } from "./dom.js";
import { lastPlace } from "./gallery.js";
import { icon } from "./icons.js";
import { identity } from "./identity.js";
import { outcome, promptOf, seedOf, watch } from "./result.js";
import { confirmDeletion } from "./selection.js";
import { waterfall } from "./waterfall.js";

export const title = "Job";
const CLAMPED = 160;

export async function show(root, { id, signal }) {
  const read = () => status(id, { include: "parameters" }, signal);
  const job = await read();
  const stage = h("div", { class: "stage" });
  const head = h("div", {});
  const side = h("div", { class: "side" });
  const more = h("div", { class: "more-of-job" });
  root.append(h("p", { class: "back" }, h("a", { href: lastPlace() }, "← Gallery")), head, h("div", { class: "job-columns" }, stage, side), more);
  const describe = async (of) => {
    const path = `jobs/${encodeURIComponent(id)}`;
    head.replaceChildren(header(of));
    const [timeline, calls] = await Promise.all([request("GET", `${path}/timeline`, { signal }), callbacks(path, {}, signal)]);
    side.replaceChildren(summary(of, timeline), parameters(of));
    more.replaceChildren(
      section("Timeline", waterfall(timeline)),
      calls ? section("Callbacks", calls) : "",
      of.logs ? section("Log of the model", h("div", { class: "copied" }, h("pre", { tabindex: 0, "aria-label": "Log of the model" }, of.logs), copyButton("Copy the log", of.logs))) : "",
      details(of, timeline));
  };
  head.replaceChildren(header(job));
  if (ENDED.has(job.status)) {
    stage.replaceChildren(outcome(job));
    return describe(job);
  }
  await describe(job);
  await watch(stage, id, signal);
  return describe(await read());
}

function header(job) {
  const prompt = promptOf(job);
  const name = h("h1", { class: prompt.length > CLAMPED ? "clamped" : null }, prompt || job.modelId);
  const unfold = prompt.length > CLAMPED ? h("button", { type: "button", class: "quiet", "aria-expanded": "false" }, "Show all") : null;
  unfold?.addEventListener("click", () => {
    const whole = name.classList.toggle("clamped");
    unfold.textContent = whole ? "Show all" : "Show less";
    unfold.setAttribute("aria-expanded", String(!whole));
  });
  return h("div", { class: "job-head" },
    h("div", { class: "job-title" }, name, badge(job.status), prompt ? copyButton("Copy the prompt", prompt) : null, unfold),
    h("p", { class: "hint" }, [job.modelId, job.userId && job.userId !== identity.userId ? `of ${job.userId}` : ""].filter(Boolean).join(" · "), " · ", when(job.createdAt)),
    actions(job));
}

function actions(job) {
  const gone = () => { location.hash = lastPlace(); };
  return h("div", { class: "actions" },
    h("a", { class: "button primary", href: `#/?from=${job.jobId}` }, icon("retry"), "Run again"),
    ENDED.has(job.status) ? h("button", { type: "button", class: "danger", onclick: () => confirmDeletion([job.jobId], gone) }, icon("trash"), "Delete") : null);
}

function summary(job, timeline) {
  const seed = seedOf(job);
  const metadata = Object.entries(job.metadata || {});
  return section("Summary", list([
    ["Cost", cost(timeline)],
    ["Took", `${seconds(timeline.wallTime)}, estimated ${seconds(job.estimatedTime)}`],
    ...(seed === null ? [] : [["Seed", h("span", { class: "with-copy" }, String(seed), copyButton("Copy the seed", String(seed)))]]),
    ...(job.userId ? [["User", job.userId]] : []),
    ...metadata.map(([name, value]) => [name, h("a", { href: `#/jobs?${new URLSearchParams({ metadata: `${name}=${value}` })}` }, value)]),
  ]));
}

function cost({ actualCost, heldCost, estimatedCost, completedAt }) {
  const known = actualCost === null && (heldCost !== null || !completedAt) ? "not known yet" : dollars(actualCost);
  return `${known}${heldCost === null ? "" : `, ${dollars(heldCost)} held`}, estimated ${dollars(estimatedCost)}`;
}

function parameters(job) {
  const text = JSON.stringify(job.parameters || {}, null, 2);
  return section("Parameters", h("div", { class: "copied" }, h("pre", { tabindex: 0, "aria-label": "Parameters as JSON" }, text), copyButton("Copy the parameters", text)));
}

/** What only those need who look for a fault. */
function details(job, timeline) {
  return h("details", { class: "card fold" }, h("summary", {}, "Details"), list([
    ["Job", h("span", { class: "with-copy mono" }, job.jobId, copyButton("Copy the job's id", job.jobId))],
    ["Prediction", job.replicateId ? h("span", { class: "mono" }, job.replicateId) : "–"],
    ["Created", when(job.createdAt, true)],
    ["Ended", when(job.completedAt, true)],
    ...(timeline.executionUrl ? [["Execution", h("a", { href: timeline.executionUrl, target: "_blank", rel: "noopener" }, "in Step Functions ", icon("external"))]] : []),
    ...job.outputs.flatMap((output, index) => [
      [`File ${index + 1}`, `${output.contentType || "unknown"}, ${bytes(output.fileSize)}${output.codec ? `, ${output.codec}` : ""}`],
      ["Key", h("span", { class: "mono" }, output.s3Path)],
      ["SHA-256", h("span", { class: "mono" }, output.sha256 || "not known")],
    ]),
  ]));
}

function section(name, ...content) {
  return h("section", { class: "card", "aria-label": name }, h("h2", {}, name), ...content);
}

function list(pairs) {
  return h("dl", { class: "facts" }, pairs.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]).flat());
}
