// A model, what is asked of it, what comes out, and what came before.

import { ENDED, request, status } from "./api.js";
import { announce, dollars, h } from "./dom.js";
import { icon } from "./icons.js";
import { recent, whole } from "./recent.js";
import { requestPanel } from "./request.js";
import { facts, outcome, waiting, watch } from "./result.js";

export const title = "Playground";
const USUAL = "flux-schnell";

export async function show(root, { parameters, signal }) {
  const from = parameters.get("from");
  const [{ models }, earlier] = await Promise.all([
    request("GET", "models", { signal }),
    from ? status(from, { include: "parameters" }, signal) : null,
  ]);
  const named = (name) => models.find((model) => model.modelId === name);
  const chosen = named(earlier?.modelId) || named(parameters.get("model")) || named(USUAL) || models[0];
  const kinds = [...new Set(models.map((model) => model.mediaType))];
  const picker = h("select", { id: "model" }, kinds.map((kind) =>
    h("optgroup", { label: kind[0].toUpperCase() + kind.slice(1) }, models.filter((model) => model.mediaType === kind)
      .map((model) => h("option", { value: model.modelId, selected: model === chosen }, model.modelId)))));
  const about = h("p", { class: "hint", id: "model-about" });
  const place = h("div", {});
  const result = resultPanel(signal);
  root.append(
    h("h1", { class: "unseen" }, "Playground"),
    h("div", { class: "workbench" },
      h("section", { class: "ask card", "aria-label": "Request" },
        h("div", { class: "model" }, h("label", { for: "model", class: "unseen" }, "Model"), picker, about), place),
      result.element),
  );
  let panel = null;
  let current = new AbortController();
  const choose = async (initial) => {
    current.abort(new DOMException("Another model was chosen.", "AbortError"));
    const mine = (current = new AbortController());
    const model = named(picker.value);
    about.textContent = `${model.description} ${model.price ? price(model.price) : "No price is known"}.`;
    // What is typed into the form of another model would be lost, and what is sent paid for.
    place.style.minHeight = `${place.offsetHeight}px`;
    place.replaceChildren(h("p", { class: "hint", role: "status" }, "Loading what it takes …"));
    const found = await request("GET", `models/${encodeURIComponent(model.modelId)}`, { signal });
    if (mine.signal.aborted) return;
    place.style.minHeight = "";
    panel = requestPanel(found, initial, { ...result, signal: AbortSignal.any([signal, mine.signal]) });
    place.replaceChildren(panel.element);
  };
  picker.addEventListener("change", () => {
    const kept = panel?.parameters().prompt; // survives a change of mind
    choose(kept ? { prompt: kept } : {}).catch((error) => place.replaceChildren(h("p", { class: "notice", role: "alert" }, error.message)));
  });
  result.reuse = async (job) => {
    picker.value = job.modelId;
    await choose(job.parameters || {});
    announce("The settings of the job are in the form.");
  };
  result.strip.refresh().catch(() => {});
  await choose(earlier?.parameters || given(parameters));
}

/** What a link sets: every name but those of this page is a parameter. */
function given(parameters) {
  return Object.fromEntries([...parameters].filter(([name]) => name !== "model" && name !== "from"));
}

/** The picture is the hero: the newest result, or the one that was chosen from the strip. */
function resultPanel(signal) {
  const stage = h("div", { class: "stage" }, welcome());
  const strip = recent((jobId) => reopen(jobId).catch((error) => announce(error.message)), signal);
  const element = h("section", { class: "result", "aria-label": "Result" }, stage, strip.element);
  let shown = null; // what the stage follows; another choice leaves it
  const panel = {
    element, strip,
    sending(shape) {
      const before = [...stage.childNodes];
      stage.replaceChildren(waiting(shape, [h("p", { class: "state" }, "Sending the request …"), h("progress", { "aria-label": "Sending" })]));
      inView(element);
      return () => {
        if (stage.querySelector("[aria-label=Sending]")) stage.replaceChildren(...before);
      };
    },
    async sent(jobId, shape) {
      strip.refresh().then(() => strip.mark(jobId), () => {});
      await follow(jobId, shape);
    },
  };
  const follow = async (jobId, shape) => {
    const mine = (shown = new AbortController());
    const place = h("div", {});
    const links = h("div", { class: "result-actions" }, h("a", { class: "button", href: `#/jobs/${jobId}` }, "Open the job"));
    stage.replaceChildren(place, links);
    inView(element);
    const job = await watch(place, jobId, AbortSignal.any([signal, mine.signal]), shape).catch((error) => {
      if (mine.signal.aborted && !signal.aborted) return null;
      throw error;
    });
    strip.refresh().then(() => strip.mark(shown === mine ? jobId : null), () => {});
    if (!job) return;
    links.prepend(facts(job));
    inView(element);
  };
  const reopen = async (jobId) => {
    shown?.abort(new DOMException("Another result is shown.", "AbortError"));
    const job = await whole(jobId, signal);
    strip.mark(jobId);
    if (!ENDED.has(job.status)) return follow(jobId, null);
    shown = null;
    stage.replaceChildren(outcome(job), h("div", { class: "result-actions" }, facts(job),
      h("button", { type: "button", onclick: () => panel.reuse(job) }, "Use these settings"),
      h("a", { class: "button", href: `#/jobs/${jobId}` }, "Open the job")));
    inView(element);
  };
  return panel;
}

/** On a phone the result is below the form: it is brought before the eyes. */
function inView(element) {
  const box = element.getBoundingClientRect();
  if (box.top > innerHeight * 0.4 || box.bottom < 0) element.scrollIntoView({ block: "start" });
}

function welcome() {
  return h("div", { class: "empty" }, icon("image"), h("h2", {}, "What you make appears here"),
    h("p", {}, "You see what it costs before you ask for it, and may leave this page while it is made."));
}

function price({ unit, amount }) {
  const units = { image: "an image", run: "a run", gpu_second: "a second of computing", output_second: "a second of output" };
  return `${dollars(amount)} ${units[unit] || `per ${unit.replaceAll("_", " ")}`}`;
}
