import { refusal, VslError } from "./errors.js";

export type Query = Record<string, string | number | undefined>;

export interface Message {
  query?: Query;
  headers?: Record<string, string>;
  body?: unknown;
  /** A status that a repetition may end with. */
  repeatedEnd?: number;
}

/** A JSON object and what its headers say. */
export interface Answer {
  document: Record<string, unknown>;
  retryAfter: number | undefined;
}

// API Gateway gives up after 29 seconds; a client that hangs up earlier misses its answer.
const TIMEOUT_MS = 35_000;
const FIRST_PAUSE = 0.25;
const LONGEST_PAUSE = 8;
// Errors with a status of 5xx that only a person can end.
const FINAL = new Set(["ModelFrozen", "ConfigurationError"]);

/**
 * Repeats a request after a network fault, 409 RequestInProgress, 429 and 5xx, for `patience` seconds.
 *
 * Every request of this package may be sent twice: it reads, has an Idempotency-Key, or ends the same.
 */
export class Transport {
  constructor(
    private readonly url: string,
    private readonly headers: Record<string, string>,
    private readonly patience: number,
  ) {}

  async send(method: string, path: string, message: Message = {}): Promise<Answer> {
    const ends = Date.now() + 1000 * this.patience;
    let repeated = false;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      const answer = await this.attempt(method, path, message);
      if (!(answer instanceof VslError)) return answer;
      if (repeated && answer.status !== undefined && answer.status === message.repeatedEnd)
        return { document: {}, retryAfter: undefined };
      // Not all clients at once.
      const wait = Math.max(pause * (0.5 + Math.random() / 2), answer.retryAfter ?? 0);
      if (!temporary(answer) || Date.now() + 1000 * wait > ends) throw answer;
      await sleep(wait);
      repeated = true;
    }
  }

  private async attempt(method: string, path: string, message: Message): Promise<Answer | VslError> {
    try {
      const answer = await fetch(this.url + path + queryText(message.query ?? {}), {
        method,
        headers: { ...this.headers, ...message.headers },
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(message.body === undefined ? {} : { body: JSON.stringify(message.body) }),
      });
      const retryAfter = seconds(answer);
      const document = parse(await answer.text());
      return answer.ok ? { document, retryAfter } : refusal(answer.status, document, retryAfter);
    } catch (error) {
      return new VslError("Unreachable", `${this.url} does not answer: ${String(error)}`);
    }
  }
}

export function sleep(wait: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1000 * wait));
}

function temporary(error: VslError): boolean {
  if (error.status === undefined || error.status === 429) return true;
  if (error.status === 409) return error.code === "RequestInProgress";
  return error.status >= 500 && !FINAL.has(error.code);
}

function queryText(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

function parse(text: string): Record<string, unknown> {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === "object" && found !== null && !Array.isArray(found) ? { ...found } : {};
  } catch {
    return {};
  }
}

function seconds(answer: Response): number | undefined {
  const value = Number.parseFloat(answer.headers.get("Retry-After") ?? "");
  return Number.isNaN(value) ? undefined : value;
}
