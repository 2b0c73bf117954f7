// Jobs that are selected in the gallery: a bar with what can be done to all of them.

import { request } from "./api.js";
import { announce, h, sleep } from "./dom.js";
import { icon } from "./icons.js";

const BETWEEN_FILES_MS = 250;

/** `jobs` are by their id; `removed` is called with each id that is gone, `cleared` when none is selected any more. */
export function selectionBar(jobs, { removed, cleared }) {
  const count = h("span", { role: "status" });
  const download = h("button", { type: "button" }, icon("download"), "Download");
  const erase = h("button", { type: "button", class: "danger" }, icon("trash"), "Delete");
  const clear = h("button", { type: "button", class: "quiet", onclick: cleared }, "Clear");
  const element = h("div", { class: "selection", role: "toolbar", "aria-label": "Selected jobs", hidden: true }, count, download, erase, clear);
  let busy = false; // what is being downloaded must not be deleted
  const chosen = () => [...jobs.values()].flatMap((job) => job.outputs || []);
  const allow = () => {
    download.disabled = busy || !chosen().length;
    erase.disabled = busy;
  };
  download.addEventListener("click", async () => {
    const files = chosen();
    busy = true;
    allow();
    try {
      for (const file of files) {
        await save(file);
        await sleep(BETWEEN_FILES_MS); // or the browser takes them for one
      }
      announce(`${files.length} files are downloaded.`);
    } finally {
      busy = false;
      allow();
    }
  });
  erase.addEventListener("click", () => confirmDeletion([...jobs.keys()], removed));
  return {
    element,
    update() {
      element.hidden = jobs.size === 0;
      count.textContent = `${jobs.size} selected`;
      allow();
    },
  };
}

/** By way of memory where the store allows it: a link to another origin is opened, not saved. */
async function save({ originalUrl, s3Path }) {
  const name = s3Path.split("/").slice(-2).join("-");
  const held = await fetch(originalUrl).then((answer) => (answer.ok ? answer.blob() : null)).catch(() => null);
  const href = held ? URL.createObjectURL(held) : originalUrl;
  const link = h("a", { href, download: name, target: held ? null : "_blank", rel: "noopener" });
  link.click();
  if (held) setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

/** Asks first; `removed` is called with each id that is gone. */
export function confirmDeletion(jobIds, removed) {
  const several = jobIds.length > 1;
  const trouble = h("p", { class: "error", role: "alert" });
  const yes = h("button", { type: "button", class: "danger" }, "Delete for good");
  const dialog = h("dialog", { "aria-labelledby": "delete-title", onclose: () => dialog.remove() },
    h("h2", { id: "delete-title" }, several ? `Delete ${jobIds.length} jobs?` : "Delete this job?"),
    h("p", {}, several ? "Their" : "Its", " files, parameters and log are removed and cannot be brought back. What was paid stays written down."),
    trouble,
    h("div", { class: "actions" }, h("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, several ? "Keep them" : "Keep it"), yes));
  yes.addEventListener("click", async () => {
    yes.disabled = true;
    const failed = [];
    for (const jobId of jobIds) {
      try {
        await request("DELETE", `jobs/${encodeURIComponent(jobId)}`);
        removed(jobId);
      } catch (error) {
        failed.push(error.message);
      }
    }
    if (!failed.length) {
      dialog.close();
      announce(several ? "The jobs are deleted." : "The job is deleted.");
      return;
    }
    yes.disabled = false;
    trouble.textContent = several ? `${failed.length} could not be deleted: ${failed[0]}` : failed[0];
  });
  document.body.append(dialog);
  dialog.showModal();
}
