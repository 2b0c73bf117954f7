// A form made of a model's JSON Schema.

import { checkControl, choiceControl, numberControl, textControl, withNothing } from "./controls.js";
import { h, words } from "./dom.js";
import { listControl } from "./list_input.js";
import { mediaControl, paste } from "./media_input.js";
import { isFile, isLong, isNullable, isRatio, typeOf } from "./schema.js";
import { ratioControl, sizeShapes } from "./shapes.js";

// What people change from one request to the next stands above the settings.
const FIRST = new Set(["num_outputs", "duration", "resolution"]);
const RANKS = { prompt: 0, media: 1, shape: 2, other: 3 };
const SIZE = ["width", "height"];
const UNTOLD = 1_000_000; // how large a seed may be is of no use to a reader

/**
 * A form's fields: `element`, `values()` as parameters (what is empty or the model's default is left to the model),
 * `show(fields)` puts an API's refusals beside them and returns how many found a place.
 */
export function schemaForm(schema, initial, changed) {
  const required = new Set(schema.required || []);
  const { properties } = schema;
  const controls = new Map();
  const ranked = [];
  const more = [];
  const told = new Set();
  const sized = SIZE.every((name) => properties[name]?.type === "integer" && properties[name].maximum);
  for (const [name, property] of Object.entries(properties)) {
    if (property.enum?.length === 1 && property.default !== undefined) continue; // nothing to choose
    const control = field(name, property, initial[name], required.has(name), changed, told);
    controls.set(name, control);
    if (sized && SIZE.includes(name)) continue;
    const rank = rankOf(name, property, required);
    if (rank === null) more.push(control.element);
    else ranked.push([rank, control.element]);
  }
  if (sized) ranked.push([RANKS.shape, sizes(properties, controls, changed)]);
  const first = ranked.sort(([one], [other]) => one - other).map(([, each]) => each);
  const settings = more.length ? fold("Settings", more) : null;
  const element = h("div", { class: "fields" }, first, settings);
  element.addEventListener("paste", (event) => paste(event, [...controls.values()].map((each) => each.control)));
  return {
    element,
    values() {
      const entries = [...controls].map(([name, { control }]) => [name, control.read()]);
      return Object.fromEntries(entries.filter(([name, value]) => value !== undefined && JSON.stringify(value) !== JSON.stringify(properties[name].default)));
    },
    missing: () => [...required].filter((name) => controls.get(name).control.read() === undefined),
    show(problems) {
      for (const control of controls.values()) control.refuse("");
      let placed = 0;
      for (const { field: path, message } of problems) {
        const control = controls.get(path.replace(/^parameters\./, "").split(/[.[]/)[0]);
        if (!control) continue;
        control.refuse(message);
        control.element.closest("details")?.setAttribute("open", "");
        if (placed === 0) control.focus();
        placed += 1;
      }
      return placed;
    },
  };
}

/** Where a field stands above the settings; null within them. */
function rankOf(name, property, required) {
  if (name === "prompt") return RANKS.prompt;
  if (isFile(property)) return RANKS.media;
  if (isRatio(property)) return RANKS.shape;
  return required.has(name) || FIRST.has(name) || (isLong(property) && !property.default && !/negative/.test(name)) ? RANKS.other : null;
}

function sizes(properties, controls, changed) {
  const [width, height] = SIZE.map((name) => controls.get(name));
  const shapes = sizeShapes(properties, width.control.input, height.control.input, () => {
    for (const each of [width, height]) each.refuse("");
    changed();
  });
  const label = h("p", { class: "label", id: "parameter-shape-label" }, "Aspect ratio");
  shapes.setAttribute("aria-labelledby", label.id);
  return h("div", { class: "field" }, label, shapes, fold("Exact size", [width.element, height.element], "size"));
}

function fold(name, fields, kind = "more") {
  return h("details", { class: kind }, h("summary", {}, name), h("div", { class: "grid" }, fields));
}

function controlOf(id, property, start, needed, changed) {
  const type = typeOf(property);
  if (type === "array") return listControl(id, property, start, changed);
  if (isFile(property)) return mediaControl(id, property, start, changed);
  if (type === "boolean" && typeof start === "boolean") return checkControl(id, start);
  // Left out, the model decides.
  if (type === "boolean") return choiceControl(id, { ...property, enum: [true, false] }, start, needed);
  if (isRatio(property)) return ratioControl(id, property, start);
  if (property.enum) return choiceControl(id, property, start, needed);
  return type === "string" ? textControl(id, property, start) : numberControl(id, property, start);
}

function field(name, property, value, needed, changed, told) {
  const id = `parameter-${name}`;
  const start = value ?? property.default;
  const plain = controlOf(id, property, start, needed, changed);
  const control = isNullable(property) && (needed || property.default !== undefined) ? withNothing(id, property, value, plain) : plain;
  const text = property.title || words(name);
  const mark = needed ? h("span", { class: "needed", "aria-hidden": "true" }, " *") : null;
  const label = control.grouped ? h("p", { class: "label", id: `${id}-label` }, text, mark) : h("label", { for: id }, text, mark);
  if (control.grouped) control.element.setAttribute("aria-labelledby", label.id);
  const explained = hintOf(text, property, control, told);
  const hint = explained ? h("p", { class: "hint", id: `${id}-hint` }, explained) : null;
  const error = h("p", { class: "error", id: `${id}-error` });
  control.input.setAttribute("aria-describedby", hint ? `${hint.id} ${error.id}` : error.id);
  if (needed && !control.grouped) control.input.setAttribute("aria-required", "true");
  const tick = control.input.type === "checkbox";
  const element = h("div", { class: tick ? "field tick" : "field" }, tick ? [control.element, label] : [label, control.element], hint, error);
  element.addEventListener("input", () => {
    refuse("");
    changed();
  });
  const refuse = (message) => {
    error.textContent = message && `It ${message}.`;
    if (message) control.input.setAttribute("aria-invalid", "true");
    else control.input.removeAttribute("aria-invalid");
  };
  return { element, control, refuse, focus: control.focus || (() => control.input.focus()) };
}

/** What a field does beyond its name; nothing that its name, another field or its placeholder says. */
function hintOf(label, property, control, told) {
  const description = (property.description || "").replace(/([^.!?…])$/, "$1.");
  const known = isLong(property) || told.has(description) || echoes(label, description);
  told.add(description);
  return [known ? "" : description, control.ranged ? "" : rangeOf(property.items || property), membersOf(property)].join(" ").trim();
}

function rangeOf({ minimum, maximum }) {
  if (minimum !== undefined && maximum !== undefined) return maximum < UNTOLD ? `${minimum} to ${maximum}.` : "";
  if (minimum !== undefined) return minimum > 0 ? `At least ${minimum}.` : "";
  return maximum === undefined ? "" : `At most ${maximum}.`;
}

function membersOf({ items, minItems, maxItems }) {
  if (!items) return "";
  const choices = items.enum ? `Of: ${items.enum.join(", ")}. ` : "";
  return `${choices}${minItems ? `${minItems} to ${maxItems} members.` : `At most ${maxItems} members.`}`;
}

function echoes(label, description) {
  const [name, said] = [label, description].map((text) => text.toLowerCase().match(/[a-z]{3,}/g) || []);
  return said.length < 4 && said.some((word) => name.some((each) => each.slice(0, 5) === word.slice(0, 5)));
}
