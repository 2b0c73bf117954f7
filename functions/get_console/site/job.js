// One job: what it made, what it was asked, what it cost and where its time went.

import { ENDED, identity, request, status } from "./api.js";
import { callbacks } from "./callbacks.js";
import { announce, badge, bytes, dollars, h, seconds, when } from "./dom.js";
import { outcome, watch } from "./result.js";
import { waterfall } from "./waterfall.js";

export const title = "Job";

export async function show(root, { id, signal }) {
  const job = await status(id, { include: "parameters" }, signal);
  const place = h("div", { class: "stage" });
  const facts = h("div", { class: "facts" });
  root.append(h("p", {}, h("a", { href: "#/jobs" }, "← Gallery")), h("h1", {}, job.modelId), h("p", { class: "hint id" }, id), place, facts);
  if (!ENDED.has(job.status)) {
    await describe(facts, job, signal);
    await watch(place, id, signal);
    return describe(facts, await status(id, { include: "parameters" }, signal), signal);
  }
  place.replaceChildren(outcome(job));
  return describe(facts, job, signal);
}

async function describe(root, job, signal) {
  const path = `jobs/${encodeURIComponent(job.jobId)}`;
  const query = { userId: identity.userId };
  const [timeline, calls] = await Promise.all([
    request("GET", `${path}/timeline`, { query, signal }),
    callbacks(path, query, signal),
  ]);
  root.replaceChildren(
    actions(job, path, query),
    h("div", { class: "columns even" },
      section("Job", list([
        ["Status", badge(job.status)],
        ["Asked for", when(job.createdAt)],
        ["Took", `${seconds(timeline.wallTime)} (about ${seconds(job.estimatedTime)} for the model)`],
        ["Cost", cost(timeline)],
        ["Prediction", job.replicateId || "–"],
        ...(job.errorCode ? [["Error", `${job.errorCode}: ${job.error}`]] : []),
        ...(job.errorDetail ? [["The provider", job.errorDetail]] : []),
        ...job.outputs.map((output, index) => [`File ${index + 1}`, `${output.s3Path} · ${bytes(output.fileSize)} · SHA-256 ${(output.sha256 || "not known").slice(0, 12)}…`]),
        ...(timeline.executionUrl ? [["Execution", h("a", { href: timeline.executionUrl, target: "_blank", rel: "noopener" }, "in Step Functions")]] : []),
      ])),
      section("Parameters", list(Object.entries(job.parameters || {}).map(([name, value]) => [name, shown(value)])))),
    section("Timeline", waterfall(timeline)),
    calls ? section("Calls to the client", calls) : "",
    job.logs ? section("Log of the model", h("pre", { tabindex: 0, "aria-label": "Log of the model" }, job.logs)) : "",
  );
}

function cost({ actualCost, heldCost, estimatedCost, completedAt }) {
  const known = actualCost === null && (heldCost !== null || !completedAt) ? "not known yet" : dollars(actualCost);
  return `${known}${heldCost === null ? "" : `, ${dollars(heldCost)} held`} (${dollars(estimatedCost)} estimated)`;
}

function actions(job, path, query) {
  const running = !ENDED.has(job.status);
  const remove = h("button", { type: "button", class: "danger", onclick: () => confirm(path, query) }, "Delete");
  return h("div", { class: "actions" },
    h("a", { class: "button", href: `#/?from=${job.jobId}` }, "Again with these settings"),
    running ? null : remove);
}

function confirm(path, query) {
  const trouble = h("p", { class: "error", role: "alert" });
  const yes = h("button", { type: "button", class: "danger" }, "Delete for good");
  const dialog = h("dialog", { "aria-labelledby": "delete-title", onclose: () => dialog.remove() },
    h("h2", { id: "delete-title" }, "Delete this job?"),
    h("p", {}, "Its files, parameters and log are removed and cannot be brought back. What it cost stays written down."),
    trouble,
    h("div", { class: "actions" }, yes, h("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, "Keep it")));
  yes.addEventListener("click", async () => {
    yes.disabled = true;
    try {
      await request("DELETE", path, { query });
      dialog.close();
      announce("The job is deleted.");
      location.hash = "#/jobs";
    } catch (error) {
      yes.disabled = false;
      trouble.textContent = error.message;
    }
  });
  document.body.append(dialog);
  dialog.showModal();
}

function section(name, ...content) {
  return h("section", { class: "card", "aria-label": name }, h("h2", {}, name), ...content);
}

function list(pairs) {
  return h("dl", {}, pairs.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]).flat());
}

function shown(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}
