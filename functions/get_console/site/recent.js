// A strip of the user's latest jobs below the result; one click shows a job again.

import { ENDED, request, status } from "./api.js";
import { h } from "./dom.js";
import { kindIcon } from "./icons.js";
import { identity } from "./identity.js";
import { promptOf } from "./result.js";

const SHOWN = 12;

/** `chosen` is called with the id of a job; `refresh()` asks for the jobs again. */
export function recent(chosen, signal) {
  const list = h("ul", {});
  const element = h("section", { class: "recent", "aria-label": "Earlier results", hidden: true }, list, h("a", { class: "hint", href: "#/jobs" }, "All"));
  return {
    element,
    async refresh() {
      const { jobs } = await request("GET", "jobs", { query: { userId: identity.userId, limit: SHOWN }, signal });
      list.replaceChildren(...jobs.map((job) => h("li", {}, entry(job, chosen))));
      element.hidden = !jobs.length;
    },
    mark(jobId) {
      for (const button of list.querySelectorAll("button")) {
        if (button.dataset.job === jobId) button.setAttribute("aria-current", "true");
        else button.removeAttribute("aria-current");
      }
    },
  };
}

function entry(job, chosen) {
  const picture = job.result?.thumbnailUrl;
  const name = [promptOf(job) || job.modelId, job.status === "succeeded" ? "" : job.status].filter(Boolean).join(", ");
  return h("button", { type: "button", class: `thumb ${ENDED.has(job.status) ? "" : "busy"} ${job.status}`, "data-job": job.jobId, title: name, "aria-label": name, onclick: () => chosen(job.jobId) },
    picture ? h("img", { src: picture, alt: "", loading: "lazy", decoding: "async" }) : kindIcon(job.mediaType));
}

/** With what its parameters were, as the form and the alternative texts need them. */
export function whole(jobId, signal) {
  return status(jobId, { include: "parameters" }, signal);
}
