// A parameter of several members: one a line; files are added by their handles.

import { h } from "./dom.js";
import { sender } from "./media_input.js";
import { isFile, typeOf } from "./schema.js";

export function listControl(id, property, start, changed) {
  const { items } = property;
  const files = isFile(property);
  const input = h("textarea", { id, rows: 3, value: (start || []).join("\n"), spellcheck: "false", placeholder: files ? "One https://… a line, or add files" : "One a line" });
  const lines = () => input.value.split("\n").map((line) => line.trim()).filter(Boolean);
  const read = () => (lines().length ? lines().map((line) => member(items, line)) : undefined);
  if (!files) return { element: input, input, read };
  const put = (handle) => {
    input.value = [...lines(), handle].join("\n");
    changed();
  };
  const sending = sender(items["x-media"], "Add a file", put);
  const element = h("div", { class: "media-input several" }, input,
    h("div", { class: "actions" }, sending.button, h("span", { class: "hint" }, "drop or paste")), sending.picker, sending.state);
  sending.droppedOn(element, put);
  return { element, input, read, kind: items["x-media"], take: sending.take };
}

/** A line as the member it stands for, or as it is: the API then says what is wrong with it. */
function member(items, line) {
  const type = typeOf(items);
  if (type === "boolean") return { true: true, false: false }[line] ?? line;
  const number = Number(line);
  return (type === "integer" || type === "number") && Number.isFinite(number) ? number : line;
}
