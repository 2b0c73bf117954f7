// A file that was made, as the input of a model that takes one.

import { request } from "./api.js";
import { h, words } from "./dom.js";
import { icon, kindIcon } from "./icons.js";
import { openMenu } from "./menu.js";

let taking = null;

export function useAsInput(output, several) {
  const kind = output.contentType.split("/")[0];
  const button = h("button", { type: "button", class: "quiet", "aria-label": several ? `Use as input${several}` : null, title: "Use as input", "aria-haspopup": "true" }, icon("input"), several ? "" : "Use as input");
  button.addEventListener("click", async () => {
    button.disabled = true;
    const found = await inputs().catch(() => []);
    button.disabled = false;
    const links = found.filter((each) => each.kind === kind).map(({ modelId, mediaType, name, label }) =>
      h("a", { href: `#/?${new URLSearchParams({ model: modelId, [name]: output.originalUrl })}` }, kindIcon(mediaType), modelId, h("span", { class: "hint" }, label)));
    openMenu(button, "Models that take it", links.length ? links : [h("p", {}, `No model takes a ${kind}.`)]);
  });
  return button;
}

/** Every parameter of every model that takes a file; asked for once. */
function inputs() {
  taking ||= all().catch((error) => {
    taking = null;
    throw error;
  });
  return taking;
}

async function all() {
  const { models } = await request("GET", "models");
  const whole = await Promise.all(models.map((model) => request("GET", `models/${encodeURIComponent(model.modelId)}`)));
  return whole.flatMap(({ modelId, mediaType, parameters }) => Object.entries(parameters.properties)
    .filter(([, property]) => property["x-media"])
    .map(([name, property]) => ({ modelId, mediaType, name, kind: property["x-media"], label: property.title || words(name) })));
}
