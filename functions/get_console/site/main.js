// The frame: pages by the address after the #, who asks, and what is common to all.

import { whenRefused } from "./api.js";
import { h } from "./dom.js";
import { signIn } from "./sign_in.js";
import { chooseUser, showUser } from "./whose.js";

const PAGES = {
  playground: () => import("./playground.js"),
  gallery: () => import("./gallery.js"),
  job: () => import("./job.js"),
  operations: () => import("./operations.js"),
  spend: () => import("./spend.js"),
};
// Where a page was scrolled to, by the place in the browser's history.
const scrolled = new Map();

let asking = false; // for a credential: once, however many requests of a page were refused
let leaving = new AbortController();
let place = history.state?.place ?? 0;

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

async function show(top = 0) {
  asking = false;
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
    await page.show(root, { parameters, id, signal, top });
  } catch (error) {
    if (signal.aborted) return;
    root.replaceChildren(h("h1", {}, "This did not work"), failure(error));
    main.replaceChildren(root);
  }
}

function failure(error) {
  return h("div", { class: "notice", role: "alert" },
    h("p", {}, error.message),
    h("div", { class: "actions" },
      h("button", { type: "button", onclick: () => show() }, "Try again"),
      h("a", { class: "button", href: "#/jobs" }, "To the gallery")));
}

function changed() {
  showUser(document.getElementById("whose"));
  return show();
}

whenRefused((problem) => {
  if (asking) return;
  asking = true;
  leaving.abort(new DOMException("The caller has to sign in.", "AbortError"));
  signIn(document.getElementById("main"), problem, changed);
});
document.getElementById("whose").addEventListener("click", () => chooseUser(changed, () => signIn(document.getElementById("main"), null, changed)));
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main").focus();
});
history.scrollRestoration = "manual";
addEventListener("scroll", () => scrolled.set(place, scrollY), { passive: true });
addEventListener("hashchange", () => {
  // A new entry of the history has no state yet; one that was left has its own.
  const known = history.state?.place;
  place = known ?? Math.max(-1, ...scrolled.keys(), place) + 1;
  if (known === undefined) history.replaceState({ place }, "");
  const top = known === undefined ? 0 : scrolled.get(place) || 0;
  scrollTo(0, 0);
  document.getElementById("main").focus({ preventScroll: true });
  show(top);
});
history.replaceState({ place }, "");
changed();
