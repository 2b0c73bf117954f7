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
    (required.has(name) || isFile(property) || isLong(property) ? first : more).push(control.element);
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

/** Null besides a type means that null may be sent. */
function typeOf(property) {
  return [property.type].flat().find((each) => each !== "null");
}

function isNullable(property) {
  return [property.type].flat().includes("null");
}

function isFile(property) {
  return (property.items || property).format === "uri";
}

function isLong(property) {
  return typeOf(property) === "string" && !property.enum && (property.maxLength || 0) > LONG_TEXT;
}

function field(name, property, value, needed, changed) {
  const id = `parameter-${name}`;
  const start = value ?? property.default;
  const type = typeOf(property);
  const checkbox = type === "boolean" && typeof start === "boolean";
  const control = withNothing(id, property, value, needed, controlOf(id, property, type, start, needed, changed));
  const hint = h("p", { class: "hint", id: `${id}-hint` }, hintOf(property));
  const error = h("p", { class: "error", id: `${id}-error` });
  control.input.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  if (needed) control.input.setAttribute("aria-required", "true");
  const label = h("label", { for: id }, property.title || words(name), needed ? h("span", { class: "needed", "aria-hidden": "true" }, " *") : null);
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

function controlOf(id, property, type, start, needed, changed) {
  if (type === "array") return listControl(id, property, start, changed);
  if (isFile(property)) return mediaControl(id, property, start, changed);
  if (type === "boolean" && typeof start === "boolean") return checkControl(id, start);
  // Left out, the model decides.
  if (type === "boolean") return choiceControl(id, { ...property, enum: [true, false] }, start, needed);
  if (property.enum) return choiceControl(id, property, start, needed);
  return type === "string" ? textControl(id, property, start) : numberControl(id, property, start);
}

/** Where leaving it out does not mean null, a box to send null. */
function withNothing(id, property, value, needed, control) {
  if (!isNullable(property) || (!needed && property.default === undefined)) return control;
  const nothing = h("input", { id: `${id}-nothing`, type: "checkbox" });
  nothing.checked = value === null;
  const set = () => { control.element.hidden = nothing.checked; };
  nothing.addEventListener("change", set);
  set();
  const box = h("div", { class: "check nothing" }, nothing, h("label", { for: nothing.id }, "Nothing"));
  return { ...control, element: h("div", {}, control.element, box), read: () => (nothing.checked ? null : control.read()) };
}

/** One member a line; files are added by their handles. */
function listControl(id, property, start, changed) {
  const { items } = property;
  const input = h("textarea", { id, rows: 3, value: (start || []).join("\n"), spellcheck: "false", placeholder: isFile(property) ? "One https://… a line, or add files" : "One a line" });
  const lines = () => input.value.split("\n").map((line) => line.trim()).filter(Boolean);
  const read = () => (lines().length ? lines().map((line) => member(items, line)) : undefined);
  if (!isFile(property)) return { element: input, input, read };
  const put = (handle) => { input.value = [...lines(), handle].join("\n"); };
  return { element: h("div", { class: "media-input" }, input, filePicker(items["x-media"], "Add a file", put, changed)), input, read };
}

/** A line as the member it stands for, or as it is: the API then says what is wrong with it. */
function member(items, line) {
  const type = typeOf(items);
  if (type === "boolean") return { true: true, false: false }[line] ?? line;
  const number = Number(line);
  return (type === "integer" || type === "number") && Number.isFinite(number) ? number : line;
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
  const values = property.enum.filter((each) => each !== null);
  const input = h("select", { id }, none, values.map((each) => h("option", { value: each, selected: each === start }, String(each))));
  const byText = new Map(values.map((each) => [String(each), each]));
  return { element: input, input, read: () => byText.get(input.value) };
}

function numberControl(id, property, start) {
  const whole = typeOf(property) === "integer";
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
  const label = kind === "image" ? "Choose an image" : `Choose a ${kind ? `${kind} ` : ""}file`;
  const picker = filePicker(kind, label, (handle) => { input.value = handle; }, changed);
  return { element: h("div", { class: "media-input" }, input, picker), input, read: () => (input.value.trim() === "" ? undefined : input.value.trim()) };
}

/** A button that sends a file; `put` gets its handle. */
function filePicker(kind, label, put, changed) {
  const state = h("span", { class: "hint", role: "status" });
  const accept = kind ? `${kind}/*` : "image/*,video/*,audio/*";
  const picker = h("input", { type: "file", accept, class: "unseen", tabindex: -1, "aria-hidden": "true" });
  picker.addEventListener("change", async (event) => {
    event.stopPropagation();
    const [file] = picker.files;
    if (!file) return;
    state.textContent = `Sending ${file.name} …`;
    try {
      put(await upload(file));
      state.textContent = `${file.name} is there.`;
      changed();
    } catch (error) {
      state.textContent = error.message;
    }
    picker.value = "";
  });
  return [h("button", { type: "button", onclick: () => picker.click() }, label), picker, state];
}

function words(name) {
  const text = name.replaceAll("_", " ");
  return text[0].toUpperCase() + text.slice(1);
}

function hintOf(property) {
  const { minimum, maximum, enum: choices } = property.items || property;
  const parts = [(property.description || "").replace(/([^.!?…])$/, "$1.")];
  if (minimum !== undefined && maximum !== undefined) parts.push(`${minimum} to ${maximum}.`);
  else if (minimum !== undefined) parts.push(`At least ${minimum}.`);
  else if (maximum !== undefined) parts.push(`At most ${maximum}.`);
  if (property.items) {
    if (choices) parts.push(`Of: ${choices.join(", ")}.`);
    parts.push(property.minItems ? `${property.minItems} to ${property.maxItems} members.` : `At most ${property.maxItems} members.`);
  }
  return parts.join(" ").trim();
}
