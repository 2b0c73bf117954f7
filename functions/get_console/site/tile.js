// A job in the gallery: its picture, what was asked, and a mark only where something is not as usual.

import { ENDED } from "./api.js";
import { badge, h, seconds, when } from "./dom.js";
import { icon, kindIcon } from "./icons.js";
import { identity } from "./identity.js";
import { promptOf } from "./result.js";

/** `toggle` is called when the person selects it, with whether a range is meant. */
export function tile(job, selected, toggle) {
  const prompt = promptOf(job);
  const box = h("input", { type: "checkbox", tabindex: -1, "aria-label": `Select ${prompt || job.modelId}` });
  box.checked = selected;
  box.disabled = !ENDED.has(job.status);
  box.addEventListener("click", (event) => toggle(event.shiftKey));
  return h("li", { class: `job ${job.status}`, "data-job": job.jobId },
    h("a", { class: "job", href: `#/jobs/${job.jobId}`, title: prompt || null },
      h("span", { class: "thumbnail" }, face(job), marks(job)),
      h("strong", {}, prompt || job.modelId),
      h("span", { class: "hint line" },
        h("span", { class: "of" }, identity.everyone && job.userId ? `${job.userId} · ${job.modelId}` : prompt ? job.modelId : job.mediaType),
        ENDED.has(job.status) ? when(job.createdAt) : h("span", { class: "now" }, job.queuePosition ? `queued, ${job.queuePosition}` : job.status))),
    h("label", { class: "pick" }, box));
}

function face(job) {
  const picture = job.result?.thumbnailUrl;
  if (picture) return h("img", { src: picture, alt: "", loading: "lazy", decoding: "async" });
  if (job.status === "failed") {
    return h("span", { class: "reason" }, icon("warning"), h("span", {}, job.error || "It failed."), h("span", { class: "mono" }, job.errorCode || ""));
  }
  if (ENDED.has(job.status)) return h("span", { class: "blank" }, kindIcon(job.mediaType));
  const bar = h("progress", { "aria-label": "Progress", max: 1 });
  if (job.progress !== null) bar.value = job.progress;
  return h("span", { class: "blank" }, kindIcon(job.mediaType), h("span", { class: "bar-below" }, bar));
}

function marks(job) {
  const usual = job.status === "succeeded";
  const count = job.outputs?.length || 0;
  const { duration } = job.result || {};
  const moving = usual && job.mediaType !== "image";
  return h("span", { class: "marks" },
    job.status === "canceled" ? badge(job.status) : null,
    count > 1 ? h("span", { class: "mark" }, icon("stack"), `×${count}`) : null,
    moving ? h("span", { class: "mark" }, icon(job.mediaType === "audio" ? "music" : "play"), duration ? seconds(duration) : null) : null);
}
