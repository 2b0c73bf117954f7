// The request of the form as code, the way a program would send it.

import { BASE } from "./api.js";
import { identity } from "./identity.js";

const CREDENTIALS = { none: null, key: ["x-api-key", "VSL_API_KEY"], bearer: ["x-api-key", "VSL_API_KEY"], token: ["Authorization", "VSL_TOKEN"] };
const WAIT = "wait=25";

/** By the name of the language; the key is never part of it. */
export const SAMPLES = { curl, Python: python, TypeScript: typescript };

export function bodyOf(modelId, parameters) {
  return { ...(identity.userId ? { userId: identity.userId } : {}), modelId, parameters };
}

function curl(body) {
  const credential = CREDENTIALS[identity.kind];
  const lines = [
    `curl -s ${address()}`,
    "-H 'Content-Type: application/json'",
    ...(credential ? [`-H "${credential[0]}: $${credential[1]}"`] : []),
    `-H 'Prefer: ${WAIT}'`,
    `-d '${JSON.stringify(body, null, 2).replaceAll("'", "'\\''")}'`,
  ];
  return lines.join(" \\\n  ");
}

function python(body) {
  const credential = CREDENTIALS[identity.kind];
  const key = credential ? `        "${credential[0]}": os.environ["${credential[1]}"],\n` : "";
  return `${credential ? "import os\n\n" : ""}import requests

answer = requests.post(
    "${address()}",
    headers={
${key}        "Prefer": "${WAIT}",
    },
    json=${literal(body, "    ")},
)
answer.raise_for_status()
job = answer.json()
print(job["status"], job.get("result"))
`;
}

/** A value as Python writes it. */
function literal(value, indent) {
  const deeper = `${indent}    `;
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const list = Array.isArray(value);
  const rows = list
    ? value.map((each) => `${deeper}${literal(each, deeper)},\n`)
    : Object.entries(value).map(([name, each]) => `${deeper}${JSON.stringify(name)}: ${literal(each, deeper)},\n`);
  const [open, close] = list ? "[]" : "{}";
  return rows.length ? `${open}\n${rows.join("")}${indent}${close}` : open + close;
}

function typescript(body) {
  const credential = CREDENTIALS[identity.kind];
  const key = credential ? `    "${credential[0]}": process.env.${credential[1]}!,\n` : "";
  return `const answer = await fetch("${address()}", {
  method: "POST",
  headers: {
    "Content-Type": "application/json",
${key}    Prefer: "${WAIT}",
  },
  body: JSON.stringify(${JSON.stringify(body, null, 2).replaceAll("\n", "\n  ")}),
});
if (!answer.ok) throw new Error(await answer.text());
const job = await answer.json();
console.log(job.status, job.result);
`;
}

function address() {
  return new URL("generate-media", BASE).href;
}
