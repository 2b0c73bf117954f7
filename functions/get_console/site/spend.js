// What was spent, what is held, and what is left of every budget.

import { request } from "./api.js";
import { identity } from "./identity.js";
import { bars, choices, legend, table } from "./charts.js";
import { balance, budgetBars } from "./budgets.js";
import { dollars, h, tile } from "./dom.js";

export const title = "Spend";
const CARD_EDGES = 38;
const DAY_MS = 86_400_000;
const SPANS = [[7, "7 days"], [30, "30 days"], [90, "90 days"]];

export async function show(root, { parameters, signal }) {
  const days = Number(parameters.get("days")) || 30;
  const trusted = identity.operator;
  const all = trusted && parameters.get("of") !== "me";
  const place = (set) => `#/spend?${new URLSearchParams({ days, of: all ? "all" : "me", ...set })}`;
  root.append(h("div", { class: "head" }, h("h1", {}, "Spend"), h("div", { class: "end" },
    trusted && choices("Whose", [["all", "All users"], ["me", identity.userId]], all ? "all" : "me", (of) => place({ of })),
    choices("Over the last", SPANS, days, (value) => place({ days: value })))));
  const from = new Date(Date.now() - (days - 1) * DAY_MS).toISOString().slice(0, 10);
  const query = { from, userId: all ? null : identity.userId };
  const usage = (by) => request("GET", "usage", { query: { ...query, by }, signal });
  const [own, stage, byDay, byModel, byUser] = await Promise.all([
    request("GET", "budget", { query: { userId: identity.userId }, signal }),
    all ? request("GET", "budgets/stage", { signal }) : null,
    usage("day"), usage("modelId"), all ? usage("userId") : null,
  ]);
  const width = Math.max(280, root.clientWidth - CARD_EDGES); // so that its words are as large as all others
  const { total } = byDay;
  root.append(
    h("dl", { class: "tiles" },
      tile("Spent", dollars(total.spent), `${total.jobs} ${total.jobs === 1 ? "job" : "jobs"}, ${total.succeeded} succeeded`),
      tile("Held", dollars(total.held), "for jobs whose cost is not known yet"),
      all ? tile("Paid by the deployment", dollars(total.stage), "predictions no job had a use for, and costs above a hold") : null,
      tile("Left", balance(own) || "no limit", all ? `of ${identity.userId}` : "of the budget that is tightest")),
    stage ? section("of-all", "Budgets of the whole deployment", budgetBars(stage.budgets)) : "",
    section("of-user", trusted ? `Budgets of ${identity.userId}` : "Budgets", budgetBars(own.budgets)),
    section("by-day", "By day", bars(everyDay(byDay.lines, from, days), ["spent", "held"], { written: dollars, width, place: ({ day }) => written(day), each: "a day" }), legend(["spent", "held"])),
    section("by-model", "By model", lines(byModel.lines, "modelId", "Model", (id) => h("a", { href: `#/jobs?modelId=${encodeURIComponent(id)}` }, id))),
    byUser ? section("by-user", "By user", lines(byUser.lines, "userId", "User", (id) => id)) : "",
  );
}

function section(id, name, ...content) {
  return h("section", { class: "card", "aria-labelledby": id }, h("h2", { id }, name), content);
}

function lines(all, key, head, first) {
  if (!all.length) return h("p", { class: "hint" }, "No jobs in this time.");
  return table(`Table by ${head.toLowerCase()}`, [head, "Jobs", "Succeeded", "Spent", "Held"], all.map((line) =>
    [first(line[key]), line.jobs, line.succeeded, dollars(line.spent), dollars(line.held)]));
}

/** A day without a job has no line: its bar is empty. */
function everyDay(found, from, days) {
  const known = new Map(found.map((line) => [line.day, line]));
  return Array.from({ length: days }, (_, index) => {
    const day = new Date(Date.parse(from) + index * DAY_MS).toISOString().slice(0, 10);
    return known.get(day) || { day, spent: 0, held: 0 };
  });
}

function written(day) {
  return new Date(day).toLocaleDateString([], { day: "numeric", month: "short", timeZone: "UTC" });
}
