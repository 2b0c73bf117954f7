import { Webhook } from "standardwebhooks";
import { VslError } from "./errors.js";
import type { components } from "./types.js";

/** The body of a callback: the job's status and what happened. */
export type Event = components["schemas"]["JobStatus"] & { event: "started" | "ended" };

type Secret = Pick<components["schemas"]["WebhookSecret"], "secret" | "previous">;

/**
 * The event, if one of the user's secrets signed the raw body in the last five minutes.
 *
 * Throws VslError (InvalidSignature). `secret`: the text, or the answer of `Client.webhookSecret`, which
 * has the older ones of a rotation, too. Drop a `webhook-id` that you have seen.
 */
export function verifyWebhook(body: string, headers: Record<string, string>, secret: string | Secret): Event {
  const secrets = typeof secret === "string" ? [secret] : [secret.secret, ...secret.previous];
  let reason = "";
  for (const each of secrets) {
    const webhook = new Webhook(each);
    try {
      return webhook.verify(body, headers) as Event;
    } catch (error) {
      reason = String(error);
    }
  }
  throw new VslError("InvalidSignature", reason);
}
