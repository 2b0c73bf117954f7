// What came of telling a job's client of its end, and telling it once more.

import { request } from "./api.js";
import { announce, badge, h, seconds, sleep, when } from "./dom.js";

const LOOKS = 20;
const LOOK_AGAIN_MS = 1000;
const HEADS = ["When", "Attempt", "Outcome", "Answer", "Took", "Next"];

/** The log of deliveries; null for a job without a callback. */
export async function callbacks(path, query, signal) {
  const read = () => request("GET", `${path}/callbacks`, { query, signal });
  const first = await read();
  if (!first.callbackUrl) return null;
  const place = h("div", {}, log(first.attempts));
  const trouble = h("p", { class: "error", role: "alert" });
  const again = h("button", { type: "button" }, "Call again");
  again.addEventListener("click", async () => {
    again.disabled = true;
    trouble.textContent = "";
    try {
      const { deliveryId } = await request("POST", `${path}/callbacks/replay`, { query, signal });
      announce("Another call is on its way.");
      await arrival(read, deliveryId, place, signal);
    } catch (error) {
      if (!signal.aborted) trouble.textContent = error.message;
    }
    again.disabled = false;
  });
  return h("div", {}, h("p", { class: "address" }, first.callbackUrl), place, trouble, h("div", { class: "actions" }, again));
}

/** Looks until the delivery has left a line, or for so long that it is not worth the wait. */
async function arrival(read, deliveryId, place, signal) {
  for (let look = 0; look < LOOKS; look += 1) {
    const { attempts } = await read();
    if (attempts.some((attempt) => attempt.deliveryId === deliveryId)) {
      place.replaceChildren(log(attempts));
      announce("The call has been made.");
      return;
    }
    await sleep(LOOK_AGAIN_MS, signal);
  }
  announce("The call has not been made yet; look again later.");
}

function log(attempts) {
  if (!attempts.length) return h("p", { class: "hint" }, "No call yet: it is made at the job's end.");
  return h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Table of calls" }, h("table", { class: "figures" },
    h("caption", { class: "unseen" }, "Calls, the latest first"),
    h("thead", {}, h("tr", {}, HEADS.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, attempts.map((attempt) => h("tr", {},
      h("td", {}, when(attempt.at)),
      h("td", {}, `${attempt.attempt}${attempt.deliveryId === "end" ? "" : ", asked for"}`),
      h("td", {}, badge(attempt.outcome)),
      h("td", { class: "answer" }, answer(attempt)),
      h("td", {}, seconds(attempt.durationMs / 1000)),
      h("td", {}, attempt.nextAttemptAt ? time(attempt.nextAttemptAt) : "–"))))));
}

function answer({ statusCode, error, response }) {
  return [statusCode, error, response].filter(Boolean).join(" · ") || "–";
}

function time(iso) {
  return h("time", { datetime: iso, title: iso }, new Date(iso).toLocaleString([], { dateStyle: "short", timeStyle: "medium" }));
}
