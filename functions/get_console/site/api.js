// The API this console stands beside: one request, following a job, sending a file.

import { sleep } from "./dom.js";
import { identity } from "./identity.js";

export const BASE = new URL("../", location.href);
const WAIT_SECONDS = 20;
// Its place in the queue moves without a change of the status.
const QUEUED_WAIT_SECONDS = 2;
const TIMEOUT_MS = 30_000;
const JOB_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
// An answer that came sooner than this was not held back: too many of the user's requests wait already.
const HELD_MS = 1000;
const PAUSE_MS = 2000;
export const ENDED = new Set(["succeeded", "failed", "canceled"]);

/** A refusal: `code` is stable, `fields` names what is wrong, `status` 0 means no answer at all, `budget` is the one without room. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || body.message || `The API answered ${status}.`);
    this.status = status;
    this.code = body.code || "Unknown";
    this.fields = body.fields || [];
    this.retryAfter = body.retryAfter ?? null;
    this.budget = body.budget || "";
  }
}

/** Called when the API does not take the credential: asks the person who they are. */
let askWho = () => {};
export function whenRefused(callback) {
  askWho = callback;
}

/** The JSON of an answer, null when it has none. Raises Problem. */
export async function request(method, path, { query = {}, body, headers = {}, signal, known } = {}) {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const answer = await fetch(url, {
    method,
    headers: {
      ...identity.headers(),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    cache: "no-store",
  }).catch((error) => {
    if (signal?.aborted) throw error;
    throw new Problem(0, { code: "NoAnswer", detail: "The API does not answer. Is it running?" });
  });
  if (answer.status === 304) return known;
  const text = await answer.text();
  const found = text ? parse(text) : null;
  if (answer.ok) return found;
  const problem = new Problem(answer.status, found || {});
  if (answer.status === 401 || (problem.code === "Forbidden" && identity.operator)) askWho(problem);
  throw problem;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { detail: "The answer is not JSON." };
  }
}

/** One job as it stands: an operator may read every user's, a token names its user.
 *  What is no id never becomes part of an address: ".." is one of another route. */
export async function status(jobId, query = {}, signal = undefined) {
  if (!JOB_ID.test(jobId)) throw new Problem(404, { code: "JobNotFound", detail: "There is no job with this id." });
  return request("GET", `status/${encodeURIComponent(jobId)}`, {
    query,
    signal,
  });
}

/** A job step by step until it has ended; a broken connection is tried again. Yields statuses. */
export async function* follow(jobId, signal) {
  let last = null;
  let pause = 500;
  while (!last || !ENDED.has(last.status)) {
    try {
      const before = last;
      const asked = performance.now();
      const wait = before?.queuePosition ? QUEUED_WAIT_SECONDS : WAIT_SECONDS;
      last = await status(jobId, { wait: before ? wait : 0, include: "parameters" }, signal);
      const held = performance.now() - asked >= HELD_MS;
      pause = 500;
      yield last;
      if (before && !held && last.status === before.status) await sleep(PAUSE_MS, signal);
    } catch (error) {
      if (signal?.aborted || (error.status >= 400 && error.status < 500 && error.status !== 429)) throw error;
      await sleep(pause, signal);
      pause = Math.min(pause * 2, 10_000);
    }
  }
}

/** Makes a job. The key is one for all attempts, so nothing is paid twice. */
export async function generate(modelId, parameters, signal) {
  const key = crypto.randomUUID();
  const body = { modelId, parameters, ...(identity.userId ? { userId: identity.userId } : {}) };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await request("POST", "generate-media", { body, headers: { "Idempotency-Key": key }, signal });
    } catch (error) {
      const again = error.status === 0 || error.status === 503 || error.code === "RequestInProgress";
      if (!again || attempt === 4 || signal?.aborted) throw error;
      await sleep(attempt * 1000, signal);
    }
  }
}

/** Sends a file to S3; the answer is the handle that stands for it as a parameter. */
export async function upload(file, signal) {
  const form = await request("POST", "uploads", {
    body: {
      contentType: file.type || "application/octet-stream",
      fileName: file.name,
      size: file.size,
      ...(identity.userId ? { userId: identity.userId } : {}),
    },
    signal,
  });
  if (file.size > form.maxBytes) {
    throw new Problem(413, { code: "PayloadTooLarge", detail: `The file has more than ${form.maxBytes} bytes.` });
  }
  const data = new FormData();
  for (const [name, value] of Object.entries(form.fields)) data.append(name, value);
  data.append("file", file);
  const answer = await fetch(form.url, { method: "POST", body: data, signal }).catch(() => null);
  if (!answer?.ok) throw new Problem(answer?.status || 0, { detail: "The file could not be stored; try again." });
  return form.handle;
}
