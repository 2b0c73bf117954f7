// Budgets as bars, and what is left of them.

import { dollars, h } from "./dom.js";

const NAMES = { day: "Today", month: "This month", total: "In all", credit: "Credits" };

/** What may still be spent: the least of all limits, or null where there is none. */
export function balance({ budgets }) {
  const limited = budgets.filter(({ left }) => left !== null);
  if (!limited.length) return null;
  const tightest = limited.reduce((least, one) => (Number(one.left) < Number(least.left) ? one : least));
  return `${dollars(tightest.left)} ${{ day: "today", month: "this month" }[tightest.period] || "left"}`;
}

export function budgetBars(budgets) {
  return h("ul", { class: "budgets" }, budgets.map(bar));
}

function bar({ period, limit, spent, held, left, resetsAt }) {
  const parts = [`${dollars(spent)} spent`];
  if (Number(held)) parts.push(`${dollars(held)} held`);
  parts.push(limit === null ? "no limit" : `${dollars(left)} of ${dollars(limit)} left`);
  const text = parts.join(", ");
  const share = (amount) => (Number(limit) ? Math.min(100, (Number(amount) / Number(limit)) * 100) : limit === null ? 0 : 100);
  const meter = limit === null ? null : h("span", { class: "meter", role: "img", "aria-label": text },
    part("spent", share(spent)), part("held", Math.min(100 - share(spent), share(held))));
  return h("li", {}, h("strong", {}, NAMES[period] || period), meter,
    h("span", {}, text), resetsAt && limit !== null ? h("span", { class: "hint" }, `begins anew ${new Date(resetsAt).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}`) : null);
}

/** The policy of the page allows no style in a tag, and a rule set by a script. */
function part(name, percent) {
  const element = h("span", { class: name });
  element.style.width = `${percent}%`;
  return element;
}
