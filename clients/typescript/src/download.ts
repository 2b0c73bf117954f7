import { VslError } from "./errors.js";
import { sleep } from "./transport.js";
import type { components } from "./types.js";

type JobStatus = components["schemas"]["JobStatus"];
type Output = components["schemas"]["Output"];

export interface JobFile {
  /** `<jobId>-<number>` with the file's suffix. */
  name: string;
  contentType: string;
  content: Uint8Array<ArrayBuffer>;
}

const TIMEOUT_MS = 300_000;
const TRIES = 4;

/** All files of a finished job. Their addresses are signed: no key of the API goes there. */
export async function download(job: JobStatus): Promise<JobFile[]> {
  const files: JobFile[] = [];
  for (const [number, output] of job.outputs.entries()) {
    const suffix = /\.\w+$/.exec(output.s3Path)?.[0] ?? "";
    const content = await read(output);
    files.push({ name: `${job.jobId}-${number}${suffix}`, contentType: output.contentType, content });
  }
  return files;
}

/** The content of one file, checked against its SHA-256. */
export async function read(output: Output): Promise<Uint8Array<ArrayBuffer>> {
  const content = await get(output.originalUrl);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (hex !== output.sha256)
    throw new VslError("ChecksumMismatch", `${output.s3Path} is not what its SHA-256 says`);
  return content;
}

async function get(url: string): Promise<Uint8Array<ArrayBuffer>> {
  for (let tried = 1; ; tried++) {
    const content = await attempt(url);
    if (!(content instanceof VslError)) return content;
    const final = content.status !== undefined && content.status < 500;
    if (final || tried === TRIES) throw content;
    await sleep(0.25 * 2 ** tried);
  }
}

async function attempt(url: string): Promise<Uint8Array<ArrayBuffer> | VslError> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
    const message = `the store answered ${answer.status}; ask for the status anew, addresses expire`;
    return new VslError("DownloadFailed", message, { status: answer.status });
  } catch (error) {
    return new VslError("DownloadFailed", `the file did not arrive: ${String(error)}`);
  }
}
