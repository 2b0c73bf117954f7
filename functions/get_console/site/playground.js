// A model, a form made of its schema, what it would cost, and what comes out.

import { generate, identity, request, status } from "./api.js";
import { balance } from "./budgets.js";
import { dollars, h, seconds } from "./dom.js";
import { schemaForm } from "./form.js";
import { watch } from "./result.js";

export const title = "Playground";
const ESTIMATE_PAUSE_MS = 250;
const KINDS = ["image", "video", "audio", "text", "file"];

export async function show(root, { parameters, signal }) {
  const from = parameters.get("from");
  const [{ models }, earlier] = await Promise.all([
    request("GET", "models", { signal }),
    from ? status(from, { include: "parameters" }, signal) : null,
  ]);
  const chosen = models.find((model) => model.modelId === (earlier?.modelId || parameters.get("model"))) || models.find((model) => model.modelId === "flux-schnell") || models[0];
  const picker = h("select", { id: "model" }, KINDS.filter((kind) => models.some((model) => model.mediaType === kind)).map((kind) =>
    h("optgroup", { label: kind[0].toUpperCase() + kind.slice(1) }, models.filter((model) => model.mediaType === kind)
      .map((model) => h("option", { value: model.modelId, selected: model === chosen }, model.modelId)))));
  const about = h("p", { class: "hint", id: "model-about" });
  const place = h("div", {});
  const result = h("section", { class: "result", "aria-label": "Result" }, welcome());
  root.append(
    h("h1", {}, "Make an image, a video or a sound"),
    h("div", { class: "columns" },
      h("section", { class: "ask card", "aria-label": "Request" },
        h("div", { class: "field" }, h("label", { for: "model" }, "Model"), picker, about), place),
      result),
  );
  let current = new AbortController();
  const choose = async (initial) => {
    current.abort(new DOMException("Another model was chosen.", "AbortError"));
    const mine = (current = new AbortController());
    const model = models.find((each) => each.modelId === picker.value);
    place.replaceChildren(h("p", { class: "hint" }, "Loading …"));
    about.textContent = `${model.description} ${model.price ? price(model.price) : "No price is known"}.`;
    const whole = await request("GET", `models/${encodeURIComponent(model.modelId)}`, { signal });
    if (!mine.signal.aborted) place.replaceChildren(ask(whole, initial, result, signal, mine.signal));
  };
  picker.addEventListener("change", () => {
    const prompt = place.querySelector("#parameter-prompt")?.value; // survives a change of mind
    choose(prompt ? { prompt } : {}).catch((error) => place.replaceChildren(h("p", { class: "notice", role: "alert" }, error.message)));
  });
  await choose(earlier?.parameters || {});
}

function ask(model, initial, result, signal, modelSignal) {
  const worth = h("p", { class: "estimate", role: "status" });
  const trouble = h("div", { role: "alert" });
  const submit = h("button", { type: "submit", class: "primary" }, "Generate");
  let timer = 0;
  let priced = false;
  let estimating = new AbortController();
  const estimate = async () => {
    estimating.abort();
    estimating = new AbortController();
    if (form.missing().length) {
      priced = false;
      worth.textContent = `Needs: ${form.missing().join(", ").replaceAll("_", " ")}`;
      return;
    }
    if (!priced) worth.textContent = "Estimating …";
    try {
      const found = await request("POST", `models/${encodeURIComponent(model.modelId)}/estimate`, {
        body: { parameters: form.values(), ...(identity.userId ? { userId: identity.userId } : {}) },
        signal: AbortSignal.any([estimating.signal, modelSignal]),
      });
      priced = true;
      worth.textContent = `${found.estimatedCost === null ? "Cost not known" : `About ${dollars(found.estimatedCost)}`} and ${seconds(found.estimatedTime)}${waits(found)}${refused(found)}`;
    } catch (error) {
      if (error.name !== "AbortError") worth.textContent = error.fields?.length ? "Something is not valid yet" : error.message;
    }
  };
  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(estimate, ESTIMATE_PAUSE_MS);
  };
  const form = schemaForm(model.parameters, initial, changed);
  const left = h("p", { class: "hint left" });
  const showLeft = async () => {
    const text = await request("GET", "budget", { query: { userId: identity.userId }, signal: modelSignal }).then(balance, () => null);
    left.replaceChildren(...(text ? ["You may spend ", h("a", { href: "#/spend?of=me" }, text)] : []));
  };
  const element = h("form", { novalidate: true }, form.element, trouble, h("div", { class: "submit" }, worth, left,
    h("button", { type: "button", onclick: () => element.replaceWith(ask(model, model.example, result, signal, modelSignal)) }, "Example"), submit));
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    trouble.replaceChildren();
    form.show([]);
    const before = [...result.childNodes];
    result.replaceChildren(sending());
    result.scrollIntoView({ block: "nearest" });
    try {
      const { jobId } = await generate(model.modelId, form.values(), signal);
      submit.disabled = false;
      await Promise.all([showLeft(), made(result, jobId, signal)]);
      await showLeft();
    } catch (error) {
      if (signal.aborted) return;
      submit.disabled = false;
      if (result.querySelector(".sending")) result.replaceChildren(...before);
      const placed = form.show(error.fields || []);
      if (!placed || placed < error.fields.length) trouble.replaceChildren(refusal(error));
    }
  });
  estimate();
  showLeft();
  return element;
}

function waits({ queuePosition, estimatedStart }) {
  if (!queuePosition) return "";
  return `, after ${seconds(Math.max(0, Math.round((Date.parse(estimatedStart) - Date.now()) / 1000)))} in the queue`;
}

function refused({ admitted, refusedBy }) {
  if (admitted !== false) return "";
  return refusedBy?.of === "unpriced" ? "; you may not run models without a price" : "; more than is left";
}

function refusal(error) {
  const budgets = error.code === "BudgetExceeded" ? h("a", { href: "#/spend?of=me" }, "See your budgets") : null;
  return h("div", { class: "notice" }, h("p", {}, error.message), budgets);
}

/** A job beside the form, from now on until it has ended. */
async function made(result, jobId, signal) {
  const place = h("div", {});
  const links = h("div", { class: "actions" }, h("a", { class: "button", href: `#/jobs/${jobId}` }, "Open the job"));
  result.replaceChildren(place, links);
  result.scrollIntoView({ block: "nearest" });
  await watch(place, jobId, signal);
}

/** From the press of the button on: the first job after a quiet time is accepted in seconds, not at once. */
function sending() {
  return h("div", { class: "card sending" }, h("p", { class: "state" }, "Sending the request …"), h("progress", { "aria-label": "Sending" }));
}

function welcome() {
  return h("div", { class: "empty" }, h("p", {}, "What you make appears here."),
    h("p", { class: "hint" }, "You see what it costs before you ask for it, and may leave this page while it is made."));
}

function price({ unit, amount }) {
  const units = { image: "an image", run: "a run", gpu_second: "a second of computing", output_second: "a second of output" };
  return `${dollars(amount)} ${units[unit] || `per ${unit.replaceAll("_", " ")}`}`;
}
