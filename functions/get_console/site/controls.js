// The simple controls of a form: text, tick, choice and number. Each has `element`, `input` and `read()`.

import { h, words } from "./dom.js";
import { isLong, typeOf } from "./schema.js";

const SLIDER_STEPS = 200;
const FEW = 6;

export function textControl(id, property, start) {
  const long = isLong(property);
  const input = h(long ? "textarea" : "input", {
    id,
    rows: long ? 3 : null,
    maxlength: property.maxLength,
    placeholder: long ? property.description : null,
    value: start ?? "",
  });
  return { element: input, input, read: () => (input.value.trim() === "" ? undefined : input.value) };
}

export function checkControl(id, start) {
  const input = h("input", { id, type: "checkbox" });
  input.checked = Boolean(start);
  return { element: input, input, read: () => input.checked };
}

export function choiceControl(id, property, start, needed) {
  const none = needed || property.default !== undefined ? [] : [h("option", { value: "" }, "The model's choice")];
  const values = property.enum.filter((each) => each !== null);
  const input = h("select", { id }, none, values.map((each) => h("option", { value: each, selected: each === start }, written(each))));
  const byText = new Map(values.map((each) => [String(each), each]));
  return { element: input, input, read: () => byText.get(input.value) };
}

/** `no_refiner` is a name, `K_EULER` and `webp` are what they are. */
function written(value) {
  return /^[a-z]+(_[a-z0-9]+)+$/.test(value) ? words(value) : String(value);
}

/** Of a small range all numbers at once, of a larger one a slider, else a field. */
export function numberControl(id, property, start) {
  const whole = typeOf(property) === "integer";
  const step = property.multipleOf || (whole ? 1 : null);
  const { minimum, maximum } = property;
  if (whole && step === 1 && maximum - minimum < FEW && (start === undefined || (start >= minimum && start <= maximum))) {
    return segments(id, minimum, maximum, start);
  }
  const input = h("input", { id, type: "number", min: minimum, max: maximum, step: step ?? "any", value: start ?? "", placeholder: /seed/.test(id) ? "random" : null, inputmode: whole ? "numeric" : "decimal" });
  const read = () => (input.value === "" ? undefined : Number(input.value));
  const range = maximum - minimum;
  if (!Number.isFinite(range) || range / (step || range / 100) > SLIDER_STEPS) return { element: input, input, read };
  const slider = h("input", { type: "range", min: minimum, max: maximum, step: step ?? range / 100, value: start ?? minimum, "aria-hidden": "true", tabindex: -1 });
  slider.addEventListener("input", () => { input.value = slider.value; });
  input.addEventListener("input", () => { slider.value = input.value; });
  return { element: h("div", { class: "slider" }, slider, input), input, read, ranged: true };
}

/** Where leaving it out does not mean null: a box to send null. */
export function withNothing(id, property, value, control) {
  const nothing = h("input", { id: `${id}-nothing`, type: "checkbox" });
  nothing.checked = value === null;
  const set = () => { control.element.hidden = nothing.checked; };
  nothing.addEventListener("change", set);
  set();
  const box = h("div", { class: "check nothing" }, nothing, h("label", { for: nothing.id }, "Nothing"));
  return { ...control, element: h("div", {}, control.element, box), read: () => (nothing.checked ? null : control.read()) };
}

function segments(id, minimum, maximum, start) {
  const values = Array.from({ length: maximum - minimum + 1 }, (_, index) => minimum + index);
  const radios = values.map((value) => {
    const radio = h("input", { type: "radio", name: id, id: `${id}-${value}`, value });
    radio.checked = value === start;
    return radio;
  });
  const element = h("div", { class: "segments", role: "radiogroup", id }, radios.map((radio) => h("label", {}, radio, radio.value)));
  const read = () => {
    const chosen = radios.find((radio) => radio.checked);
    return chosen && Number(chosen.value);
  };
  return { element, input: element, read, grouped: true, ranged: true, focus: () => (radios.find((radio) => radio.checked) || radios[0]).focus() };
}
