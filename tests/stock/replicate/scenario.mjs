// Replicate's stock JavaScript client against a running stack: node scenario.mjs URL NAME WORDS…
import { readFile } from "node:fs/promises";

import Replicate, { validateWebhook } from "replicate";

const [url, name, ...words] = process.argv.slice(2);
const SCHNELL = "black-forest-labs/flux-schnell";
const VIDEO = "sunfjun/stable-video-diffusion:d68b6e09eedbac7a49e3d8644999d93579c386a083768235cabca88796d70d82";

const client = (options = {}) => new Replicate({ auth: "none", baseUrl: `${url}/replicate/v1`, ...options });
const replicate = client();

// What docs/compatibility.md says to set: the client repeats a request with the very same options.
const keys = new WeakMap();
const keyed = (address, init) => {
  if (!keys.has(init)) keys.set(init, crypto.randomUUID());
  const headers = new Headers(init.headers);
  headers.set("Idempotency-Key", keys.get(init));
  return fetch(address, { ...init, headers });
};

const scenarios = {
  async run(prompt) {
    const statuses = [];
    const [output] = await replicate.run(SCHNELL, { input: { prompt } }, (each) => statuses.push(each.status));
    const file = await fetch(String(output));
    return { statuses, type: file.headers.get("content-type"), bytes: (await file.arrayBuffer()).byteLength };
  },
  async poll(prompt) {
    const output = await replicate.run(SCHNELL, { input: { prompt }, wait: { mode: "poll", interval: 100 } });
    return output.length;
  },
  async lifecycle(prompt) {
    const made = await replicate.predictions.create({ model: SCHNELL, input: { prompt } });
    const ended = await replicate.wait(made, { interval: 100 });
    const again = await replicate.predictions.get(made.id);
    const listed = await replicate.predictions.list();
    return { made: made.status, ended: ended.status, input: again.input, first: listed.results[0].id === made.id };
  },
  async cancel(prompt) {
    const made = await replicate.predictions.create({ model: SCHNELL, input: { prompt } });
    return (await replicate.predictions.cancel(made.id)).status;
  },
  async pages() {
    const ids = [];
    for await (const page of replicate.paginate(replicate.predictions.list)) ids.push(...page.map((each) => each.id));
    return ids.length;
  },
  async files(path) {
    const kept = await replicate.files.create(new File([await readFile(path)], "lake.png"));
    const found = await replicate.files.get(kept.id);
    const listed = await replicate.files.list();
    const film = await replicate.run(VIDEO, { input: { input_image: await readFile(path) } });
    const gone = await replicate.files.delete(kept.id);
    return { name: found.name, listed: listed.results.some((each) => each.id === kept.id), film: typeof film, gone };
  },
  async webhook(id, timestamp, signature, body) {
    const secret = (await replicate.webhooks.default.secret.get()).key;
    const told = { id, timestamp, signature, secret };
    return [await validateWebhook({ ...told, body }), await validateWebhook({ ...told, body: `${body} ` })];
  },
  async hooked(prompt, webhook) {
    const events = ["completed"];
    return (await replicate.predictions.create({ model: SCHNELL, input: { prompt }, webhook, webhook_events_filter: events })).id;
  },
  async refused() {
    const told = [];
    for (const [model, input] of [[SCHNELL, {}], ["nobody/nothing", { prompt: "x" }]]) {
      try {
        await replicate.run(model, { input });
      } catch (error) {
        told.push([error.name, error.response.status, error.message]);
      }
    }
    return told;
  },
  async models() {
    const version = (await replicate.models.get("stability-ai", "sdxl")).latest_version.id;
    const listed = await replicate.models.list();
    return [version, listed.results.length, (await replicate.models.versions.list("stability-ai", "sdxl")).results.length];
  },
  async unkeyed(prompt) {
    return (await replicate.predictions.create({ model: SCHNELL, input: { prompt } })).id;
  },
  async keyed(prompt) {
    return (await client({ fetch: keyed }).predictions.create({ model: SCHNELL, input: { prompt } })).id;
  },
};

console.log(JSON.stringify(await scenarios[name](...words)));
