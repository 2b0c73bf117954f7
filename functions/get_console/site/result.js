// What a job has made, and a job while it runs.

import { ENDED, follow, request } from "./api.js";
import { copyButton } from "./clipboard.js";
import { announce, badge, bytes, dollars, h, roughly, seconds, until } from "./dom.js";
import { icon } from "./icons.js";
import { useAsInput } from "./use_as_input.js";

const SIDE_BY_SIDE = 2; // of several files
const TEXTS = ["text/plain", "application/json"];
const MOST_TEXT_BYTES = 512 * 1024; // what is longer is for an editor
// Other pictures are shown by their thumbnail.
const SHOWN = ["image/png", "image/jpeg", "image/webp", "image/gif", "image/avif", "image/bmp"];

/** The files of a job that has ended well, each with its player. */
export function media(job) {
  const prompt = promptOf(job);
  const count = job.outputs.length;
  const element = h("div", { class: `media ${job.mediaType} of-${Math.min(count, SIDE_BY_SIDE)}` }, job.outputs.map((output, index) => {
    const several = count > 1 ? ` ${index + 1} of ${count}` : "";
    const name = prompt ? `${prompt}${several}` : `The ${job.mediaType}${several} of this job`;
    return h("figure", {}, player(job, output, name), h("figcaption", {}, caption(output), fileActions(output, several)));
  }));
  return count ? shaped(element, job.outputs[0].width / job.outputs[0].height) : element;
}

export function promptOf(job) {
  return job.prompt || job.parameters?.prompt || job.parameters?.text || "";
}

/** The seed that repeats a result: asked for, or told by the model's log. */
export function seedOf(job) {
  return job.parameters?.seed ?? /seed[:= ]+(\d+)/i.exec(job.logs || "")?.[1] ?? null;
}

/** With their names beside a file that stands alone, else as pictograms. */
function fileActions(output, several) {
  const named = (name) => (several ? "" : name);
  return h("span", { class: "file-actions" },
    h("a", { class: "button quiet", href: output.originalUrl, download: output.s3Path.split("/").pop(), target: "_blank", rel: "noopener", "aria-label": several ? `Download${several}` : null, title: "Download" }, icon("download"), named("Download")),
    copyButton(`Copy the address${several}`, output.originalUrl, named("Copy URL")),
    /^(image|video|audio)\//.test(output.contentType || "") ? useAsInput(output, several) : null);
}

function player(job, output, name) {
  const type = output.contentType || "";
  if (TEXTS.includes(type) && output.fileSize <= MOST_TEXT_BYTES) return text(output, name);
  // What else is not media has a link to download it, and nothing to look at.
  if (!/^(image|video|audio)\//.test(type)) return null;
  if (type.startsWith("video/")) {
    return framed(h("video", { src: output.originalUrl, poster: output.thumbnailUrl, controls: true, loop: true, playsinline: true, preload: "metadata", "aria-label": name }), output);
  }
  if (type.startsWith("audio/")) {
    return h("div", { class: "sound" },
      output.thumbnailUrl ? h("img", { src: output.thumbnailUrl, alt: "Its waveform" }) : null,
      h("audio", { src: output.originalUrl, controls: true, preload: "metadata", "aria-label": name }));
  }
  const source = SHOWN.includes(type) ? output.originalUrl : output.thumbnailUrl || output.originalUrl;
  return h("a", { href: output.originalUrl, target: "_blank", rel: "noopener" },
    framed(h("img", { src: source, alt: name, width: output.width, height: output.height }), output));
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

/** As large as its place allows, before the first byte has come. */
function framed(element, { width, height }) {
  element.classList.add("framed");
  return shaped(element, width / height);
}

function shaped(element, ratio) {
  if (Number.isFinite(ratio) && ratio > 0) element.style.setProperty("--ratio", ratio);
  return element;
}

function caption(output) {
  const parts = [bytes(output.fileSize)];
  if (output.width) parts.unshift(`${output.width} × ${output.height}`);
  if (output.duration) parts.unshift(seconds(output.duration));
  return h("span", { title: output.contentType }, parts.join(" · "));
}

/** Cost, time and seed: what a person asks of a result next. */
export function facts(job) {
  const took = job.completedAt ? (Date.parse(job.completedAt) - Date.parse(job.createdAt)) / 1000 : null;
  const seed = seedOf(job);
  return h("p", { class: "result-facts" },
    h("span", {}, cost(job)), took === null ? null : h("span", {}, seconds(took)),
    seed === null ? null : h("span", {}, `seed ${seed}`, copyButton("Copy the seed", String(seed))));
}

/** Follows a job in `root` until it has ended, in the shape that its output will have; yields its last status. */
export async function watch(root, jobId, signal, shape = null) {
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
  root.replaceChildren(waiting(shape, [state, place, bar, h("div", { class: "actions" }, stop)]));
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
  return job;
}

/** Empty frames where the files will be, so that nothing moves when they come. */
export function waiting(shape, content) {
  const { mediaType = "", count = 1, ratio = null } = shape || {};
  const frames = ["audio", "text", "file"].includes(mediaType) ? [h("div", { class: "frame sound" })] : Array.from({ length: count }, () => shaped(h("div", { class: "frame framed" }), ratio));
  const place = h("div", { class: `media ${mediaType} of-${Math.min(count, SIDE_BY_SIDE)}`, "aria-hidden": "true" },
    shape ? frames.map((frame) => h("figure", {}, frame, h("figcaption", {}, "\u00a0"))) : null);
  return h("div", { class: "running" }, shaped(place, ratio), h("div", { class: "running-state card" }, content));
}

function tell(element, place, job, began) {
  const age = (Date.now() - (Date.parse(job.createdAt) || began)) / 1000;
  element.replaceChildren(badge(job.status), ` ${roughly(Math.max(1, Math.floor(age)))} of about ${roughly(job.estimatedTime)}`);
  place.textContent = queued(job);
  place.hidden = !job.queuePosition;
}

function queued(job) {
  if (!job.queuePosition) return "";
  const left = until(job.estimatedStart);
  const start = left >= 1 ? `in about ${roughly(left)}${bounds(job)}` : "in a moment";
  return `Queued for the provider, position ${job.queuePosition}, starts ${start}.`;
}

function bounds({ estimatedStartEarliest, estimatedStartLatest }) {
  return estimatedStartLatest ? ` (${roughly(until(estimatedStartEarliest))} to ${roughly(until(estimatedStartLatest))})` : "";
}

/** A job that has ended: its files, or why there are none. */
export function outcome(job) {
  if (!ENDED.has(job.status)) return h("p", {}, badge(job.status));
  if (job.status === "succeeded") return media(job);
  const text = job.status === "canceled" ? "The job was canceled." : job.error || "The job failed.";
  return h("div", { class: `notice ${job.status}`, role: "alert" },
    h("p", {}, badge(job.status), " ", text),
    job.errorCode && job.status === "failed" ? h("p", { class: "hint mono" }, job.errorCode) : null,
    detailOf(job) ? h("pre", { tabindex: 0, "aria-label": "What the provider said" }, detailOf(job)) : null);
}

/** The provider's words for it, where they are known and say more. */
function detailOf(job) {
  return job.errorDetail === job.error ? "" : job.errorDetail || "";
}

export function cancel(jobId) {
  return request("POST", `jobs/${encodeURIComponent(jobId)}/cancel`);
}

export function cost(job) {
  const known = job.actualCost ?? job.estimatedCost;
  if (known === null) return "cost not known";
  return job.actualCost === null ? `about ${dollars(known)}` : dollars(known);
}
