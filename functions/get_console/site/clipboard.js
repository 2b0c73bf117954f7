// Copying, and the button that does it.

import { announce, h } from "./dom.js";
import { icon } from "./icons.js";

const THANKS_MS = 1500;

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // not over plain http, and not where the browser forbids it
    const area = h("textarea", { value: text, readonly: true, class: "unseen" });
    (document.querySelector("dialog[open]") || document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

/** `text` is what is copied, or a function that tells it. Without a name it shows its pictogram alone. */
export function copyButton(label, text, name = "") {
  const button = h("button", { type: "button", class: "quiet", "aria-label": name ? null : label, title: label }, icon("copy"), name || null);
  button.addEventListener("click", async () => {
    await copy(typeof text === "function" ? text() : text);
    announce("Copied.");
    button.firstChild.replaceWith(icon("check"));
    setTimeout(() => button.firstChild.replaceWith(icon("copy")), THANKS_MS);
  });
  return button;
}
