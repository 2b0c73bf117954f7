// What the tests of the repository ask for: node scenario.js API NAME … prints one JSON document.
import { Client, VslError, verifyWebhook } from "../src/index.js";

const [url = "", name = "", ...words] = process.argv.slice(2);
const vsl = new Client(url, { userId: "typescript", patience: 300 });

async function calls(order: string) {
  const models = (await vsl.models()).map((model) => model.modelId);
  const job = await vsl.run("flux-schnell", { prompt: "a lighthouse" }, { metadata: { order } });
  const { prompt } = await vsl.status(job.jobId);
  const listed = (await vsl.jobs({ metadata: { order } })).jobs.map((each) => each.jobId);
  const files = (await vsl.download(job)).map((file) => [file.name, file.content.length]);
  return { models, job, prompt, listed, files };
}

async function progress(prompt: string) {
  const seen: [string, number | null][] = [];
  for await (const status of vsl.subscribe("flux-schnell", { prompt })) seen.push([status.status, status.progress]);
  return seen;
}

async function refused(...calls: (() => Promise<unknown>)[]) {
  const errors: unknown[] = [];
  for (const call of calls) {
    try {
      await call();
    } catch (error) {
      if (!(error instanceof VslError)) throw error;
      errors.push({ code: error.code, fields: error.fields.map((fault) => fault.field), job: error.job?.status });
    }
  }
  return errors;
}

async function errors(prompt: string) {
  return refused(
    () => vsl.run("flux-schnell", { width: 9999 }),
    async () => {
      const { jobId } = await vsl.submit("minimax-video-01", { prompt });
      await vsl.cancel(jobId);
      await vsl.wait(jobId);
    },
    async () => {
      const job = await vsl.run("flux-schnell", { prompt });
      await vsl.download({ ...job, outputs: job.outputs.map((output) => ({ ...output, sha256: "0" })) });
    },
  );
}

async function webhook(body: string, headers: string) {
  const secret = await vsl.webhookSecret();
  const read = JSON.parse(headers) as Record<string, string>;
  const event = verifyWebhook(body, read, secret);
  const rotated = { secret: "whsec_bm90IHRoaXMgb25l", previous: [secret.secret] };
  const again = verifyWebhook(body, read, rotated);
  const forged = await refused(async () => verifyWebhook(`${body} `, read, secret));
  return { event: event.event, jobId: event.jobId, again: again.jobId, forged };
}

/** One request: the job's id, or the error. */
async function submit(patience: number) {
  const client = new Client(url, { userId: "me", apiKey: "k", patience });
  try {
    return await client.submit("m", { prompt: "x" });
  } catch (error) {
    if (!(error instanceof VslError)) throw error;
    return { code: error.code, retryAfter: error.retryAfter };
  }
}

/** Of a job that is not there, or not any more: the error's code. */
async function remove() {
  const [error] = await refused(() => vsl.delete("j"));
  return error ?? {};
}

const scenarios: Record<string, (...words: string[]) => Promise<unknown>> = {
  calls: (order = "") => calls(order),
  progress: (prompt = "") => progress(prompt),
  errors: (prompt = "") => errors(prompt),
  remove,
  submit: (patience) => submit(Number(patience)),
  webhook: (body = "", headers = "") => webhook(body, headers),
};
const scenario = scenarios[name];
if (scenario === undefined) throw new Error(`no scenario ${name}`);
console.log(JSON.stringify(await scenario(...words)));
