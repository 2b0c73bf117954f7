// A form made of a model's JSON Schema.

import { upload } from "./api.js";
import { h } from "./dom.js";

const LONG_TEXT = 200;
const SLIDER_STEPS = 200;

/**
 * A form's fields: `element`, `values()` as parameters (what is empty is left to the model),
 * `show(fields)` puts an API's refusals beside them and returns how many found a place.
 */
export function schemaForm(schema, initial, changed) {
  const required = new Set(schema.required || []);
  const controls = new Map();
  const first = [];
  const more = [];
  for (const [name, property] of Object.entries(schema.properties)) {
    const control = field(name, property, initial[name], required.has(name), changed);
    controls.set(name, control);
    (required.has(name) || property["x-media"] || isLong(property) ? first : more).push(control.element);
  }
  const details = more.length ? h("details", { class: "more", open: true }, h("summary", {}, "Settings"), h("div", { class: "grid" }, more)) : null;
  const element = h("div", { class: "fields" }, first, details);
  return {
    element,
    values() {
      const entries = [...controls].map(([name, control]) => [name, control.read()]);
      return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
    },
    missing: () => [...required].filter((name) => controls.get(name).read() === undefined),
    show(problems) {
      for (const control of controls.values()) control.refuse("");
      let placed = 0;
      for (const { field: path, message } of problems) {
        const control = controls.get(path.replace(/^parameters\./, "").split(/[.[]/)[0]);
        if (!control) continue;
        control.refuse(message);
        if (placed === 0) control.focus();
        placed += 1;
      }
      return placed;
    },
  };
}

function isLong(property) {
  return property.type === "string" && !property.enum && (property.maxLength || 0) > LONG_TEXT;
}

function field(name, property, value, needed, changed) {
  const id = `parameter-${name}`;
  const start = value ?? property.default;
  const control = property["x-media"]
    ? mediaControl(id, property, start, changed)
    : property.type === "boolean"
      ? checkControl(id, start)
      : property.enum
        ? choiceControl(id, property, start, needed)
        : property.type === "string"
          ? textControl(id, property, start)
          : numberControl(id, property, start);
  const hint = h("p", { class: "hint", id: `${id}-hint` }, hintOf(property));
  const error = h("p", { class: "error", id: `${id}-error` });
  control.input.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  if (needed) control.input.setAttribute("aria-required", "true");
  const label = h("label", { for: id }, words(name), needed ? h("span", { class: "needed", "aria-hidden": "true" }, " *") : null);
  const checkbox = property.type === "boolean";
  const element = h("div", { class: checkbox ? "field check" : "field" }, checkbox ? [control.element, label] : [label, control.element], hint, error);
  element.addEventListener("input", () => {
    refuse("");
    changed();
  });
  const refuse = (message) => {
    error.textContent = message && `It ${message}.`;
    if (message) control.input.setAttribute("aria-invalid", "true");
    else control.input.removeAttribute("aria-invalid");
  };
  return { element, read: control.read, refuse, focus: () => control.input.focus() };
}

function textControl(id, property, start) {
  const long = isLong(property);
  const input = h(long ? "textarea" : "input", {
    id,
    rows: long ? 4 : null,
    maxlength: property.maxLength,
    value: start ?? "",
  });
  return { element: input, input, read: () => (input.value.trim() === "" ? undefined : input.value) };
}

function checkControl(id, start) {
  const input = h("input", { id, type: "checkbox" });
  input.checked = Boolean(start);
  return { element: input, input, read: () => input.checked };
}

function choiceControl(id, property, start, needed) {
  const none = needed || property.default !== undefined ? [] : [h("option", { value: "" }, "the model's choice")];
  const input = h("select", { id }, none, property.enum.map((each) => h("option", { value: each, selected: each === start }, String(each))));
  const byText = new Map(property.enum.map((each) => [String(each), each]));
  return { element: input, input, read: () => byText.get(input.value) };
}

function numberControl(id, property, start) {
  const whole = property.type === "integer";
  const step = property.multipleOf || (whole ? 1 : null);
  const { minimum, maximum } = property;
  const input = h("input", { id, type: "number", min: minimum, max: maximum, step: step ?? "any", value: start ?? "", inputmode: whole ? "numeric" : "decimal" });
  const read = () => (input.value === "" ? undefined : Number(input.value));
  const range = maximum - minimum;
  if (!Number.isFinite(range) || range / (step || range / 100) > SLIDER_STEPS) return { element: input, input, read };
  const slider = h("input", { type: "range", min: minimum, max: maximum, step: step ?? range / 100, value: start ?? minimum, "aria-hidden": "true", tabindex: -1 });
  slider.addEventListener("input", () => { input.value = slider.value; });
  input.addEventListener("input", () => { slider.value = input.value; });
  return { element: h("div", { class: "slider" }, input, slider), input, read };
}

/** An address, or a file from this machine, sent at once and known by its handle. */
function mediaControl(id, property, start, changed) {
  const kind = property["x-media"];
  const input = h("input", { id, value: start ?? "", placeholder: "https://… or choose a file", spellcheck: "false" });
  const state = h("span", { class: "hint", role: "status" });
  const picker = h("input", { type: "file", accept: `${kind}/*`, class: "unseen", tabindex: -1, "aria-hidden": "true" });
  picker.addEventListener("change", async (event) => {
    event.stopPropagation();
    const [file] = picker.files;
    if (!file) return;
    state.textContent = `Sending ${file.name} …`;
    try {
      input.value = await upload(file);
      state.textContent = `${file.name} is there.`;
      changed();
    } catch (error) {
      state.textContent = error.message;
    }
    picker.value = "";
  });
  const button = h("button", { type: "button", onclick: () => picker.click() }, `Choose ${kind === "image" ? "an image" : `a ${kind} file`}`);
  const element = h("div", { class: "media-input" }, input, button, picker, state);
  return { element, input, read: () => (input.value.trim() === "" ? undefined : input.value.trim()) };
}

function words(name) {
  const text = name.replaceAll("_", " ");
  return text[0].toUpperCase() + text.slice(1);
}

function hintOf(property) {
  const { minimum, maximum } = property;
  const parts = [property.description || ""];
  if (minimum !== undefined && maximum !== undefined) parts.push(`${minimum} to ${maximum}.`);
  return parts.join(" ").trim();
}
