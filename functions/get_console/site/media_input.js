// A file as an input: chosen, dropped or pasted, sent at once and known by its handle; or an address.

import { upload } from "./api.js";
import { h } from "./dom.js";
import { icon, kindIcon } from "./icons.js";

export function mediaControl(id, property, start, changed) {
  const kind = property["x-media"];
  const input = h("input", { id, value: start ?? "", placeholder: "or an address: https://…", spellcheck: "false", autocomplete: "off" });
  const preview = h("span", { class: "preview" }, kindIcon(kind));
  const set = (value, shown) => {
    input.value = value;
    clear.hidden = !value;
    show(preview, kind, shown);
    changed();
  };
  const files = sender(kind, kind === "image" ? "Choose an image" : `Choose a ${kind ? `${kind} ` : ""}file`, (handle, file) => set(handle, URL.createObjectURL(file)));
  const clear = h("button", { type: "button", class: "quiet icon-only", "aria-label": "Take it out", hidden: !start, onclick: () => {
    set("", null);
    files.state.textContent = "";
    files.button.focus();
  } }, icon("close"));
  const element = h("div", { class: "media-input" }, preview,
    h("div", { class: "sources" }, h("div", { class: "actions" }, files.button, h("span", { class: "hint" }, "drop or paste"), clear), input, files.picker, files.state));
  files.droppedOn(element, (address) => set(address, address));
  input.addEventListener("input", () => {
    clear.hidden = !input.value;
    show(preview, kind, /^(https?|data):/.test(input.value) ? input.value : null);
  });
  if (/^(https?|data):/.test(start || "")) show(preview, kind, start);
  return {
    element, input, kind, take: files.take,
    read: () => (input.value.trim() === "" ? undefined : input.value.trim()),
  };
}

/** A button that sends a file of this kind, or of any; `put` gets its handle and itself. */
export function sender(kind, label, put) {
  const state = h("p", { class: "hint", role: "status" });
  const picker = h("input", { type: "file", accept: kind ? `${kind}/*` : "image/*,video/*,audio/*", class: "unseen", tabindex: -1, "aria-hidden": "true" });
  const button = h("button", { type: "button", onclick: () => picker.click() }, icon("upload"), label);
  const take = async (file) => {
    if (kind && !file.type.startsWith(`${kind}/`)) {
      state.textContent = `${file.name} is no ${kind}.`;
      return;
    }
    state.textContent = `Sending ${file.name} …`;
    try {
      put(await upload(file), file);
      state.textContent = `${file.name} is there.`;
    } catch (error) {
      state.textContent = error.message;
    }
  };
  picker.addEventListener("change", (event) => {
    event.stopPropagation();
    if (picker.files[0]) take(picker.files[0]);
    picker.value = "";
  });
  return {
    state, picker, button, take,
    droppedOn(element, putAddress) {
      element.addEventListener("dragover", (event) => {
        event.preventDefault();
        element.classList.add("over");
      });
      element.addEventListener("dragleave", () => element.classList.remove("over"));
      element.addEventListener("drop", (event) => {
        event.preventDefault();
        element.classList.remove("over");
        const address = event.dataTransfer.getData("text/uri-list").split("\n")[0];
        if (event.dataTransfer.files[0]) [...event.dataTransfer.files].forEach(take);
        else if (address) putAddress(address);
      });
    },
  };
}

/** An address that shows nothing leaves the pictogram. */
function show(preview, kind, address) {
  const plain = kindIcon(kind);
  if (!address || (kind !== "image" && kind !== "video")) return preview.replaceChildren(plain);
  const picture = h(kind === "video" ? "video" : "img", { src: address, alt: "", muted: kind === "video" });
  picture.addEventListener("error", () => preview.replaceChildren(plain));
  preview.replaceChildren(picture);
}

/** A pasted file goes to the first input of its kind, an empty one before a full one. Whether one took it. */
export function paste(event, controls) {
  const file = [...(event.clipboardData?.files || [])][0];
  const fitting = controls.filter((control) => control.take && file && (!control.kind || file.type.startsWith(`${control.kind}/`)));
  const [first] = [...fitting.filter((control) => control.element.contains(event.target)), ...fitting.filter((control) => !control.read()), ...fitting];
  if (!first) return false;
  event.preventDefault();
  first.take(file);
  return true;
}
