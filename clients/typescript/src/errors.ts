import type { components } from "./types.js";

type Problem = Partial<components["schemas"]["Problem"]>;
type JobStatus = components["schemas"]["JobStatus"];

interface Details {
  status?: number | undefined;
  fields?: components["schemas"]["Fault"][] | undefined;
  retryAfter?: number | undefined;
  job?: JobStatus | undefined;
}

/**
 * The one error of this package: a refusal of the API, a job that did not succeed, or a fault on the way.
 *
 * `code` is one of docs/api.md#errors, or of this package: `Unreachable` (no answer), `NotVsl` (an answer
 * that is not the API's), `DownloadFailed`, `ChecksumMismatch`, `InvalidSignature`. `status` is the HTTP
 * status, `fields` names each fault of a request, `retryAfter` are seconds, `job` is the status of a job
 * that failed or was canceled.
 */
export class VslError extends Error {
  readonly code: string;
  readonly status: number | undefined;
  readonly fields: components["schemas"]["Fault"][];
  readonly retryAfter: number | undefined;
  readonly job: JobStatus | undefined;

  constructor(code: string, message: string, details: Details = {}) {
    super(message);
    this.name = "VslError";
    this.code = code;
    this.status = details.status;
    this.fields = details.fields ?? [];
    this.retryAfter = details.retryAfter;
    this.job = details.job;
  }
}

/** From a problem (RFC 9457); what is not one, such as a proxy's page, has no code. */
export function refusal(status: number, problem: Problem, retryAfter: number | undefined): VslError {
  if (problem.code === undefined) {
    const message = `an answer with status ${status} that is not the API's; is the address right?`;
    return new VslError("NotVsl", message, { status, retryAfter });
  }
  return new VslError(problem.code, problem.detail ?? problem.title ?? "", {
    status,
    fields: problem.fields,
    retryAfter: problem.retryAfter ?? retryAfter,
  });
}

/** Of a job that ended otherwise than `succeeded`. */
export function failure(job: JobStatus): VslError {
  return new VslError(job.errorCode ?? "JobFailed", job.error ?? `the job is ${job.status}`, { job });
}
