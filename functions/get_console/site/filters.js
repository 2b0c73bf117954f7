// What the gallery shows: words of the prompt, and what a job is. All of it stands in the page's address.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { identity } from "./identity.js";

const TYPING_MS = 350;
const METADATA = /^\s*([\w.:-]{1,40})\s*[=:]\s*(.+?)\s*$/;
const STATUSES = [["succeeded", "Succeeded"], ["failed", "Failed"], ["canceled", "Canceled"], ["pending", "Pending"], ["processing", "Processing"], ["storing", "Storing"]];
export const FILTERS = ["q", "modelId", "mediaType", "status", "user", "metadata"];

/** `chosen` is called with the filters that are set from now on. */
export function filterBar(models, parameters, chosen) {
  const kinds = [...new Set(models.map((model) => model.mediaType))];
  const search = field("q", "Search prompts", parameters, { type: "search", placeholder: "Search prompts" });
  const controls = {
    q: search,
    mediaType: choice("mediaType", "Type", "All types", kinds.map((kind) => [kind, kind[0].toUpperCase() + kind.slice(1)]), parameters),
    modelId: choice("modelId", "Model", "All models", models.map(({ modelId }) => [modelId, modelId]), parameters),
    status: choice("status", "Status", "Any status", STATUSES, parameters),
    metadata: field("metadata", "Metadata", parameters, { placeholder: "Metadata key=value", autocapitalize: "off" }),
    ...(identity.everyone ? { user: field("user", "User", parameters, { placeholder: "All users", list: "gallery-users", autocapitalize: "off" }) } : {}),
  };
  let timer = 0;
  const go = () => {
    clearTimeout(timer);
    const set = new URLSearchParams();
    for (const [name, control] of Object.entries(controls)) {
      const value = control.value.trim();
      control.removeAttribute("aria-invalid");
      if (name === "metadata" && value && !METADATA.test(value)) control.setAttribute("aria-invalid", "true");
      else if (value) set.set(name, value);
    }
    chosen(set);
  };
  for (const control of Object.values(controls)) {
    control.addEventListener(control.tagName === "SELECT" ? "change" : "input", () => {
      clearTimeout(timer);
      timer = setTimeout(go, control.tagName === "SELECT" ? 0 : TYPING_MS);
    });
  }
  return h("form", { class: "filters", role: "search", "aria-label": "Filters", onsubmit: (event) => {
    event.preventDefault();
    go();
  } }, h("div", { class: "search" }, icon("search"), search), Object.values(controls).slice(1),
  identity.everyone ? h("datalist", { id: "gallery-users" }, [identity.userId, ...identity.others].map((each) => h("option", { value: each }))) : null);
}

/** The same as a query of the API. */
export function queryOf(parameters) {
  const query = { userId: parameters.get("user") || identity.shown };
  for (const name of ["q", "modelId", "mediaType", "status"]) query[name] = parameters.get(name);
  const [, key, value] = METADATA.exec(parameters.get("metadata") || "") || [];
  if (key) query[`metadata[${key}]`] = value;
  return query;
}

export function isFiltered(parameters) {
  return FILTERS.some((name) => parameters.get(name));
}

function choice(name, label, none, values, parameters) {
  const chosen = parameters.get(name) || "";
  const known = values.some(([value]) => value === chosen) || !chosen ? values : [...values, [chosen, chosen]];
  return h("select", { id: `filter-${name}`, "aria-label": label, class: chosen ? "set" : null },
    h("option", { value: "" }, none), known.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
}

function field(name, label, parameters, more) {
  return h("input", { id: `filter-${name}`, "aria-label": label, value: parameters.get(name) || "", autocomplete: "off", spellcheck: "false", ...more });
}
