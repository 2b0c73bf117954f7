// Tabs by the ARIA pattern: arrow keys go from one to the next, only the chosen one is in the tab order.

import { h } from "./dom.js";

/** `panels` are pairs of a name and an element; `opened` is called with the name that is shown from now on. */
export function tabs(label, panels, opened) {
  const buttons = panels.map(([name, panel]) => {
    const id = `tab-${name.toLowerCase()}`;
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", id);
    panel.id ||= `${id}-panel`;
    return h("button", { type: "button", role: "tab", id, "aria-controls": panel.id }, name);
  });
  const open = (index) => {
    buttons.forEach((button, each) => {
      button.setAttribute("aria-selected", String(each === index));
      button.tabIndex = each === index ? 0 : -1;
      panels[each][1].hidden = each !== index;
    });
    opened(panels[index][0]);
  };
  const list = h("div", { class: "tabs", role: "tablist", "aria-label": label }, buttons);
  list.addEventListener("click", (event) => {
    const index = buttons.indexOf(event.target);
    if (index >= 0) open(index);
  });
  list.addEventListener("keydown", (event) => {
    const here = buttons.indexOf(document.activeElement);
    const to = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: buttons.length - 1 }[event.key];
    const next = to === undefined ? undefined : (to + buttons.length) % buttons.length;
    if (next === undefined) return;
    event.preventDefault();
    buttons[next].focus();
    open(next);
  });
  open(0);
  return { list, open: (name) => open(panels.findIndex(([each]) => each === name)) };
}
