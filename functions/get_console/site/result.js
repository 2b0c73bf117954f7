// What a job has made, and a job while it runs.

import { ENDED, follow, identity, request } from "./api.js";
import { announce, badge, bytes, dollars, h, seconds } from "./dom.js";

const TEXTS = ["text/plain", "application/json"];
// What is longer is for an editor.
const MOST_TEXT_BYTES = 512 * 1024;

/** The files of a job that has ended well, each with its player. */
export function media(job) {
  const prompt = job.parameters?.prompt;
  return h("div", { class: `media ${job.mediaType}` }, job.outputs.map((output, index) => {
    const several = job.outputs.length > 1 ? ` ${index + 1} of ${job.outputs.length}` : "";
    const name = prompt ? `${prompt}${several}` : `The ${job.mediaType}${several} of this job`;
    return h("figure", {}, player(job, output, name), h("figcaption", {}, caption(output), " ",
      h("a", { href: output.originalUrl, download: output.s3Path.split("/").pop(), target: "_blank", rel: "noopener" }, "Download")));
  }));
}

// Other pictures are shown by their thumbnail.
const SHOWN = ["image/png", "image/jpeg", "image/webp", "image/gif", "image/avif", "image/bmp"];

function player(job, output, name) {
  const type = output.contentType || "";
  if (TEXTS.includes(type) && output.fileSize <= MOST_TEXT_BYTES) return text(output, name);
  // What else is not media has a link to download it, and nothing to look at.
  if (!/^(image|video|audio)\//.test(type)) return null;
  if (type.startsWith("video/")) {
    return h("video", { src: output.originalUrl, poster: output.thumbnailUrl, controls: true, loop: true, playsinline: true, preload: "metadata", "aria-label": name });
  }
  if (type.startsWith("audio/")) {
    return h("div", { class: "sound" },
      output.thumbnailUrl ? h("img", { src: output.thumbnailUrl, alt: "Its waveform" }) : null,
      h("audio", { src: output.originalUrl, controls: true, preload: "metadata", "aria-label": name }));
  }
  return h("a", { href: output.originalUrl, target: "_blank", rel: "noopener" },
    h("img", { src: SHOWN.includes(type) ? output.originalUrl : output.thumbnailUrl || output.originalUrl, alt: name, width: output.width, height: output.height }));
}

/** A stored text, as text and nothing else. */
function text(output, name) {
  const shown = h("pre", { class: "text", tabindex: 0, role: "region", "aria-label": name }, "Loading …");
  fetch(output.originalUrl).then(async (answer) => {
    if (!answer.ok) throw new Error(answer.status);
    shown.textContent = readable(output, await answer.text());
  }).catch(() => { shown.textContent = "The text cannot be shown here: download it."; });
  return shown;
}

function readable(output, content) {
  if (output.contentType !== "application/json") return content;
  try {
    return JSON.stringify(JSON.parse(content), null, 2);
  } catch {
    return content;
  }
}

function caption(output) {
  const parts = [output.contentType, bytes(output.fileSize)];
  if (output.width) parts.unshift(`${output.width} × ${output.height}`);
  if (output.duration) parts.unshift(seconds(output.duration));
  return parts.join(" · ");
}

/** Follows a job in `root` until it has ended; `ended` is called with its last status. */
export async function watch(root, jobId, signal, ended = () => {}) {
  const bar = h("progress", { "aria-label": "Progress", max: 1 });
  const state = h("p", { class: "state" });
  const place = h("p", { class: "place hint" });
  const stop = h("button", { type: "button" }, "Cancel");
  stop.addEventListener("click", async () => {
    stop.disabled = true;
    announce("Canceling.");
    await cancel(jobId).catch((error) => {
      stop.disabled = false;
      announce(error.message);
    });
  });
  root.replaceChildren(h("div", { class: "running card" }, state, bar, place, h("div", { class: "actions" }, stop)));
  let before = null;
  let job = null;
  const began = Date.now();
  const clock = setInterval(() => { if (job) tell(state, place, job, began); }, 1000);
  try {
    for await (job of follow(jobId, signal)) {
      if (job.status !== before) announce(`The job is ${job.status}.`);
      before = job.status;
      tell(state, place, job, began);
      if (job.progress === null) bar.removeAttribute("value");
      else bar.value = job.progress;
    }
  } finally {
    clearInterval(clock);
  }
  root.replaceChildren(outcome(job));
  ended(job);
  return job;
}

function tell(element, place, job, began) {
  const age = (Date.now() - (Date.parse(job.createdAt) || began)) / 1000;
  element.replaceChildren(badge(job.status), ` ${seconds(Math.max(0, Math.floor(age)))} of about ${seconds(job.estimatedTime)}`);
  place.textContent = queued(job);
  place.hidden = !job.queuePosition;
}

function queued(job) {
  if (!job.queuePosition) return "";
  const left = (Date.parse(job.estimatedStart) - Date.now()) / 1000;
  const start = left >= 1 ? `in about ${seconds(Math.round(left))}${bounds(job)}` : "in a moment";
  return `Queued for the provider, position ${job.queuePosition}, starts ${start}.`;
}

function bounds(job) {
  if (!job.estimatedStartLatest) return "";
  const [low, high] = [job.estimatedStartEarliest, job.estimatedStartLatest].map((at) => Math.max(0, Math.round((Date.parse(at) - Date.now()) / 1000)));
  return ` (${seconds(low)} to ${seconds(high)})`;
}

/** A job that has ended: its files, or why there are none. */
export function outcome(job) {
  if (!ENDED.has(job.status)) return h("p", {}, badge(job.status));
  if (job.status === "succeeded") return media(job);
  const words = job.status === "canceled" ? "The job was canceled." : job.error || "The job failed.";
  return h("div", { class: `notice ${job.status}`, role: "alert" },
    h("p", {}, badge(job.status), " ", words),
    job.errorCode && job.status === "failed" ? h("p", { class: "hint" }, job.errorCode) : null);
}

export function cancel(jobId) {
  return request("POST", `jobs/${encodeURIComponent(jobId)}/cancel`, { query: { userId: identity.userId } });
}

export function cost(job) {
  const known = job.actualCost ?? job.estimatedCost;
  if (known === null) return "cost not known";
  return job.actualCost === null ? `about ${dollars(known)}` : dollars(known);
}
