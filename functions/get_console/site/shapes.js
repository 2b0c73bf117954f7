// The aspect ratio as a shape: what it stands for is one parameter of ratios, or a width and a height.

import { h } from "./dom.js";

const RATIO = /^(\d+):(\d+)$/;
// Widths and heights that models are trained on, all multiples of 32.
const SIZES = { "1:1": [1024, 1024], "4:3": [1152, 864], "3:2": [1248, 832], "16:9": [1344, 768], "21:9": [1344, 576], "3:4": [864, 1152], "2:3": [832, 1248], "9:16": [768, 1344] };
const SAME = 0.03;
const DRAWN = 20;

/** For a parameter whose values are ratios. */
export function ratioControl(id, property, start) {
  const picker = shapes(id, property.enum);
  picker.choose(start);
  return { element: picker.element, input: picker.element, read: () => picker.chosen() || undefined, grouped: true, focus: picker.focus };
}

/** For a width and a height: writes both, and follows them. `changed` is called when a shape is chosen. */
export function sizeShapes(properties, width, height, changed) {
  const offered = Object.keys(SIZES).filter((name) => fitting(name, properties));
  const picker = shapes("parameter-shape", offered);
  const follow = () => {
    const ratio = Number(width.value) / Number(height.value);
    picker.choose(offered.find((name) => Math.abs(ratioOf(name) / ratio - 1) < SAME));
  };
  picker.element.addEventListener("change", () => {
    [width.value, height.value] = fitting(picker.chosen(), properties);
    changed();
  });
  for (const input of [width, height]) input.addEventListener("input", follow);
  follow();
  return picker.element;
}

/** The size of a shape within what the model takes, or null. */
function fitting(name, { width, height }) {
  const [wide, tall] = SIZES[name];
  const scale = Math.min(1, width.maximum / wide, height.maximum / tall);
  const step = Math.max(width.multipleOf || 8, height.multipleOf || 8);
  const size = [wide, tall].map((each) => Math.floor((each * scale) / step) * step);
  return size[0] >= width.minimum && size[1] >= height.minimum ? size : null;
}

export function ratioOf(name) {
  const [, wide, tall] = RATIO.exec(name);
  return Number(wide) / Number(tall);
}

function shapes(id, names) {
  const radios = names.map((name) => h("input", { type: "radio", name: id, value: name, id: `${id}-${name}` }));
  const element = h("div", { class: "shapes", role: "radiogroup", id }, radios.map((radio) => {
    const drawing = h("span", { class: "drawing", "aria-hidden": "true" }, h("span", {}));
    const ratio = ratioOf(radio.value);
    drawing.firstChild.style.width = `${Math.round(DRAWN * Math.min(1, ratio))}px`;
    drawing.firstChild.style.height = `${Math.round(DRAWN / Math.max(1, ratio))}px`;
    return h("label", {}, radio, drawing, radio.value);
  }));
  return {
    element,
    chosen: () => radios.find((radio) => radio.checked)?.value,
    choose: (name) => { for (const radio of radios) radio.checked = radio.value === name; },
    focus: () => (radios.find((radio) => radio.checked) || radios[0]).focus(),
  };
}
