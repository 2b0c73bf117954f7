// Writes src/types.ts from the API document: node generate.mjs DOCUMENT TYPES
// Left out is what no caller of the client sees: examples, headers of answers, and the refusals of each
// route, which are one error (src/errors.ts).
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const LEFT_OUT = /^(examples?|headers|[45]\d\d)$/;

function strip(value, names = false) {
  if (Array.isArray(value)) return value.map((each) => strip(each));
  if (value === null || typeof value !== "object") return value;
  // The keys of `properties` are the fields' own names.
  const kept = Object.entries(value).filter(([name]) => names || !LEFT_OUT.test(name));
  return Object.fromEntries(kept.map(([name, each]) => [name, strip(each, name === "properties" && !names)]));
}

const [document, types] = process.argv.slice(2);
const read = strip(JSON.parse(await readFile(document, "utf8")));
await writeFile(types, "// Made by `make clients`.\n" + astToString(await openapiTS(read)));
