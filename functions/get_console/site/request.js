// What is asked of a model: as a form, as JSON and as code, with its price, and the button that sends it.

import { generate, request } from "./api.js";
import { balance } from "./budgets.js";
import { copyButton } from "./clipboard.js";
import { dollars, h, roughly, until, words } from "./dom.js";
import { schemaForm } from "./form.js";
import { identity } from "./identity.js";
import { bodyOf, SAMPLES } from "./samples.js";
import { ratioOf } from "./shapes.js";
import { tabs } from "./tabs.js";

const ESTIMATE_PAUSE_MS = 250;
const BALANCE_MS = 15_000;

/** `sent` is called with the new job's id and the shape of what comes; `sending` before the API has answered,
 *  and gives back what undoes it. */
export function requestPanel(model, initial, { sending, sent, signal }) {
  const worth = h("p", { class: "estimate", role: "status" });
  const left = h("p", { class: "hint left" });
  const trouble = h("div", { role: "alert" });
  const submit = h("button", { type: "submit", class: "primary" }, "Generate", h("kbd", { "aria-hidden": "true" }, /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘↵" : "Ctrl ↵"));
  const fields = h("div", { class: "filled" });
  const price = estimator(model, worth, signal);
  let form = null;
  const changed = () => price.later(form);
  const example = () => h("button", { type: "button", class: "quiet example", onclick: () => fill(model.example) }, "Example");
  const fill = (parameters) => {
    form = schemaForm(model.parameters, parameters, changed);
    fields.replaceChildren(form.element, ...(model.example ? [example()] : []));
    price.now(form);
  };
  fill(initial);
  const json = jsonPanel(model, () => form.values(), fill);
  const codes = Object.entries(SAMPLES).map(([language, write]) => code(language, () => write(bodyOf(model.modelId, form.values()))));
  const panels = [["Form", fields], ["JSON", json.element], ...codes.map(({ language, element }) => [language, element])];
  const views = tabs("The request", panels, (name) => {
    if (name === "JSON") json.write();
    else codes.find(({ language }) => language === name)?.write();
  });
  const showLeft = async () => {
    const text = await request("GET", "budget", { query: { userId: identity.userId }, signal }).then(balance, () => null);
    left.replaceChildren(...(text ? ["You may spend ", h("a", { href: "#/spend?of=me" }, text)] : []));
  };
  const element = h("form", { class: "request", novalidate: true }, views.list, panels.map(([, panel]) => panel), trouble,
    h("div", { class: "submit" }, h("div", { class: "worth" }, worth, left),
      submit));
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || submit.disabled) return;
    event.preventDefault();
    element.requestSubmit();
  });
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (submit.disabled || !json.valid()) return;
    submit.disabled = true;
    trouble.replaceChildren();
    form.show([]);
    const shape = shapeOf(model, form.values());
    const undo = sending(shape);
    try {
      const { jobId } = await generate(model.modelId, form.values(), signal);
      submit.disabled = false;
      showLeft();
      await sent(jobId, shape);
      price.now(form); // its budget may have no room for another
      await showLeft();
    } catch (error) {
      if (signal.aborted) return;
      submit.disabled = false;
      undo();
      if (error.fields?.length) views.open("Form");
      const placed = form.show(error.fields || []);
      if (!placed || placed < error.fields.length) trouble.replaceChildren(refusal(error));
    }
  });
  showLeft();
  const timer = setInterval(() => { if (!document.hidden) showLeft(); }, BALANCE_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  return { element, parameters: () => form.values() };
}

/** What the job would cost, a moment after the last change. */
function estimator(model, worth, signal) {
  let timer = 0;
  let priced = false;
  let asking = new AbortController();
  const now = async (form) => {
    asking.abort();
    asking = new AbortController();
    const missing = form.missing();
    if (missing.length) {
      priced = false;
      worth.textContent = `Needs: ${missing.map(words).join(", ").toLowerCase()}`;
      return;
    }
    if (!priced) worth.textContent = "Estimating …";
    try {
      const found = await request("POST", `models/${encodeURIComponent(model.modelId)}/estimate`, {
        body: { parameters: form.values(), ...(identity.userId ? { userId: identity.userId } : {}) },
        signal: AbortSignal.any([asking.signal, signal]),
      });
      priced = true;
      const priceless = found.estimatedCost === null;
      worth.replaceChildren(priceless ? "Cost not known and" : h("strong", {}, dollars(found.estimatedCost)), `${priceless ? "" : " ·"} about ${roughly(found.estimatedTime)}`, queue(found), refused(found));
    } catch (error) {
      if (error.name !== "AbortError") worth.textContent = error.fields?.length ? "Something is not valid yet" : error.message;
    }
  };
  return {
    now,
    later(form) {
      clearTimeout(timer);
      timer = setTimeout(() => now(form), ESTIMATE_PAUSE_MS);
    },
  };
}

function refused({ admitted, refusedBy }) {
  if (admitted !== false) return "";
  return h("span", { class: "error" }, refusedBy?.of === "unpriced" ? " · you may not run models without a price" : " · more than is left");
}

/** Where jobs queue for the provider: how long this one would wait. */
function queue({ queuePosition, estimatedStart }) {
  return queuePosition ? `, after ${roughly(until(estimatedStart))} in the queue` : "";
}

/** The parameters as JSON. What is typed there stands in the form at once, if it can be read. */
function jsonPanel(model, read, fill) {
  const fault = h("p", { class: "error", id: "json-error", role: "alert" });
  const area = h("textarea", { class: "code", rows: 14, spellcheck: "false", "aria-label": "Parameters as JSON", "aria-describedby": "json-error" });
  area.addEventListener("input", () => {
    fault.textContent = faultOf(area.value, model);
    if (!fault.textContent) fill(JSON.parse(area.value));
  });
  return {
    element: h("div", { class: "copied" }, area, copyButton("Copy", () => area.value), fault),
    write() {
      area.value = JSON.stringify(read(), null, 2);
      fault.textContent = "";
    },
    valid() {
      if (fault.textContent) area.focus();
      return !fault.textContent;
    },
  };
}

function faultOf(text, model) {
  let found = null;
  try {
    found = JSON.parse(text);
  } catch (error) {
    return `This is not JSON yet: ${error.message}`;
  }
  if (found === null || typeof found !== "object" || Array.isArray(found)) return "The parameters are an object: { … }.";
  const unknown = Object.keys(found).find((name) => !model.parameters.properties[name]);
  return unknown === undefined ? "" : `${model.modelId} has no parameter ${unknown}.`;
}

function code(language, write) {
  const text = h("pre", { tabindex: 0, "aria-label": `The request in ${language}` });
  return {
    language,
    element: h("div", { class: "copied" }, text, copyButton("Copy", () => text.textContent)),
    write: () => { text.textContent = write(); },
  };
}

/** Of what will come: how many files, and how wide for their height. */
function shapeOf(model, parameters) {
  const of = (name) => parameters[name] ?? model.parameters.properties[name]?.default;
  const named = of("aspect_ratio");
  const sized = of("width") && of("height") ? of("width") / of("height") : null;
  const usual = model.mediaType === "video" ? 16 / 9 : 1;
  return { mediaType: model.mediaType, count: of("num_outputs") || 1, ratio: /^\d+:\d+$/.test(named || "") ? ratioOf(named) : sized || usual };
}

function refusal(error) {
  const budgets = error.budget.startsWith("user/") ? h("a", { href: "#/spend?of=me" }, "See your budgets") : null;
  return h("div", { class: "notice" }, h("p", {}, error.message), budgets);
}
