import { download, type JobFile } from "./download.js";
import { failure, VslError } from "./errors.js";
import { type Answer, type Message, sleep, Transport } from "./transport.js";
import type { components, operations } from "./types.js";

type Schemas = components["schemas"];
type JobStatus = Schemas["JobStatus"];
type Parameters = NonNullable<Schemas["GenerateRequest"]["parameters"]>;

export type JobFilters = NonNullable<operations["listJobs"]["parameters"]["query"]>;

/** What POST /jobs takes beside model and parameters; `key` is the Idempotency-Key. */
export type JobOptions = Pick<
  Schemas["GenerateRequest"],
  "metadata" | "mediaType" | "callbackUrl" | "callbackEvents" | "priority"
> & { key?: string };

export interface ClientOptions {
  /** Whose jobs these are; with a token it is the token's user. */
  userId?: string;
  apiKey?: string;
  /** Of Cognito. */
  token?: string;
  /** Seconds for which a request that fails for a while is repeated. */
  patience?: number;
}

const WAIT = 20;
// Between two questions if the API had no room to hold the first one back.
const SHORTEST_PAUSE = 0.25;

/** One deployment. The API's routes as methods, and the two that make a whole job: `run` and `subscribe`. */
export class Client {
  private readonly user: { userId?: string };
  private readonly transport: Transport;

  constructor(url: string, options: ClientOptions = {}) {
    const headers: Record<string, string> = {};
    if (options.apiKey !== undefined) headers["x-api-key"] = options.apiKey;
    if (options.token !== undefined) headers["Authorization"] = options.token;
    this.user = options.userId === undefined ? {} : { userId: options.userId };
    this.transport = new Transport(url.replace(/\/+$/, ""), headers, options.patience ?? 60);
  }

  /** The job once it has succeeded; one that failed or was canceled is a VslError with `job`. */
  async run(modelId: string, parameters: Parameters, options: JobOptions = {}): Promise<JobStatus> {
    const accepted = await this.submit(modelId, parameters, options);
    return this.wait(accepted.jobId);
  }

  /** The statuses of a new job, with `progress` and `queuePosition`; the last one is its end. */
  async *subscribe(
    modelId: string,
    parameters: Parameters,
    options: JobOptions & { every?: number } = {},
  ): AsyncGenerator<JobStatus, void, void> {
    const { every, ...rest } = options;
    const accepted = await this.submit(modelId, parameters, rest);
    yield* this.follow(accepted.jobId, every);
  }

  /** Accept a job. Give a `key` of your own (an order's number) to repeat it beyond this call. */
  async submit(modelId: string, parameters: Parameters, options: JobOptions = {}): Promise<Schemas["Accepted"]> {
    const { key = crypto.randomUUID(), ...rest } = options;
    const body: Schemas["GenerateRequest"] = { ...this.user, ...rest, modelId, parameters };
    const headers = { "Idempotency-Key": key, "Content-Type": "application/json" };
    return this.ask("POST", "/jobs", { body, headers });
  }

  /** The job once it has succeeded, else VslError; see `run`. */
  async wait(jobId: string): Promise<JobStatus> {
    for await (const job of this.follow(jobId, WAIT)) {
      if (job.status === "succeeded") return job;
      if (ended(job)) throw failure(job);
    }
    throw new Error("a job is followed to its end");
  }

  /** The job's statuses to its end, when they change and after `every` seconds (at most 25). */
  async *follow(jobId: string, every = 2): AsyncGenerator<JobStatus, void, void> {
    let before = "";
    for (;;) {
      const asked = Date.now();
      const answer = await this.transport.send("GET", path(jobId), { query: { ...this.user, wait: every } });
      const job = object<JobStatus>(answer);
      yield job;
      if (ended(job)) return;
      const early = before === job.status ? SHORTEST_PAUSE - (Date.now() - asked) / 1000 : 0;
      await sleep(Math.max(answer.retryAfter ?? 0, early, 0));
      before = job.status;
    }
  }

  /** `parameters`: with the job's parameters, defaults filled in. */
  status(jobId: string, options: { parameters?: boolean } = {}): Promise<JobStatus> {
    const include = options.parameters === true ? "parameters" : undefined;
    return this.ask("GET", path(jobId), { query: { ...this.user, include } });
  }

  /** One page, newest first; pass its `nextCursor` as `cursor` for the next one. */
  jobs(filters: JobFilters = {}): Promise<Schemas["JobList"]> {
    const { metadata = {}, ...rest } = filters;
    const words = Object.entries(metadata).map(([name, value]) => [`metadata[${name}]`, value]);
    return this.ask("GET", "/jobs", { query: { ...this.user, ...rest, ...Object.fromEntries(words) } });
  }

  cancel(jobId: string): Promise<Schemas["Canceled"]> {
    return this.ask("POST", `${path(jobId)}/cancel`, { query: this.user });
  }

  /** Deletes media and personal data. */
  async delete(jobId: string): Promise<void> {
    // A second try that finds no job any more has done what the first one was to do.
    await this.transport.send("DELETE", path(jobId), { query: this.user, repeatedEnd: 404 });
  }

  async models(): Promise<Schemas["ModelSummary"][]> {
    return (await this.ask<Schemas["ModelList"]>("GET", "/models")).models;
  }

  /** With the JSON Schema of its parameters. */
  model(modelId: string): Promise<Schemas["Model"]> {
    return this.ask("GET", `/models/${encodeURIComponent(modelId)}`);
  }

  /** Cost and time of a job that is not made. */
  estimate(modelId: string, parameters: Parameters): Promise<Schemas["Estimate"]> {
    const body: Schemas["EstimateRequest"] = { ...this.user, parameters };
    const headers = { "Content-Type": "application/json" };
    return this.ask("POST", `/models/${encodeURIComponent(modelId)}/estimate`, { body, headers });
  }

  /** For `verifyWebhook`. */
  webhookSecret(): Promise<Schemas["WebhookSecret"]> {
    return this.ask("GET", "/webhook-secret", { query: this.user });
  }

  /** All files of a finished job, each checked against its SHA-256. */
  download(job: JobStatus): Promise<JobFile[]> {
    return download(job);
  }

  private async ask<T extends object>(method: string, path: string, message: Message = {}): Promise<T> {
    return object<T>(await this.transport.send(method, path, message));
  }
}

function path(jobId: string): string {
  return `/jobs/${encodeURIComponent(jobId)}`;
}

function ended(job: JobStatus): boolean {
  return job.status === "succeeded" || job.status === "failed" || job.status === "canceled";
}

function object<T extends object>(answer: Answer): T {
  if (Object.keys(answer.document).length === 0)
    throw new VslError("NotVsl", "no JSON object came back; is the address right?");
  return answer.document as T;
}
