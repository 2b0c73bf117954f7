// A menu beside the button that opens it; the browser closes it on Escape and on a click elsewhere.

import { h } from "./dom.js";

const GAP = 4;

export function openMenu(button, label, items) {
  const menu = h("div", { class: "menu", popover: "auto", role: "group", "aria-label": label }, items);
  menu.addEventListener("toggle", (event) => {
    if (event.newState === "closed") menu.remove();
  });
  menu.addEventListener("click", (event) => {
    if (event.target.closest("a, button")) menu.hidePopover();
  });
  menu.addEventListener("keydown", (event) => {
    const all = [...menu.querySelectorAll("a, button")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
  });
  button.after(menu);
  menu.showPopover();
  const from = button.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(GAP, Math.min(from.left, innerWidth - size.width - GAP))}px`;
  const below = from.bottom + GAP;
  menu.style.top = `${below + size.height < innerHeight ? below : Math.max(GAP, from.top - size.height - GAP)}px`;
  menu.querySelector("a, button")?.focus();
}
