// The frame: pages by the address after the #, settings, and what is common to all.

import { whenRefused } from "./api.js";
import { h } from "./dom.js";
import { settings } from "./settings.js";

const PAGES = {
  playground: () => import("./playground.js"),
  gallery: () => import("./gallery.js"),
  job: () => import("./job.js"),
  operations: () => import("./operations.js"),
  spend: () => import("./spend.js"),
};

let leaving = new AbortController();

function route() {
  const [path, query = ""] = location.hash.slice(1).split("?");
  const [first = "", second = ""] = path.replace(/^\//, "").split("/");
  const parameters = new URLSearchParams(query);
  if (first === "jobs" && second) return { name: "job", parameters, id: decoded(second) };
  if (first === "jobs") return { name: "gallery", parameters };
  if (first === "operations" || first === "spend") return { name: first, parameters };
  return { name: "playground", parameters };
}

/** A person may have typed it: what is badly escaped stays as it is. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function show() {
  leaving.abort(new DOMException("The page was left.", "AbortError"));
  leaving = new AbortController();
  const { signal } = leaving;
  const { name, parameters, id } = route();
  for (const link of document.querySelectorAll("nav a")) {
    const here = link.dataset.page === name || (link.dataset.page === "gallery" && name === "job");
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const main = document.getElementById("main");
  const root = h("div", { class: `page ${name}` });
  try {
    const page = await PAGES[name]();
    if (signal.aborted) return;
    main.replaceChildren(root);
    document.title = `${page.title} · VSL`;
    await page.show(root, { parameters, id, signal });
  } catch (error) {
    if (signal.aborted) return;
    root.replaceChildren(h("h1", {}, "This did not work"), failure(error));
    main.replaceChildren(root);
  }
}

function failure(error) {
  return h(
    "div",
    { class: "notice", role: "alert" },
    h("p", {}, error.message),
    h("div", { class: "actions" },
      h("button", { type: "button", onclick: show }, "Try again"),
      h("a", { class: "button", href: "#/jobs" }, "To the gallery")),
  );
}

whenRefused((problem) => settings(problem.message, show));
document.getElementById("settings").addEventListener("click", () => settings("", show));
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main").focus();
});
addEventListener("hashchange", () => {
  scrollTo(0, 0);
  document.getElementById("main").focus({ preventScroll: true });
  show();
});
show();
