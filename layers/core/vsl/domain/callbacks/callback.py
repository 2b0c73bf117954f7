"""How a client is told of its job's end: when, how often, with whose signature.

Standard Webhooks (https://www.standardwebhooks.com): the schedule is the one its authors run
(https://docs.svix.com/retries), the secret is one per user.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vsl.domain.errors import ConfigurationError
from vsl.domain.jobs.job import CallbackEvent, JobStatus
from vsl.domain.predictions.signature import read_secrets, sign

# Seconds before each attempt, counted from the one before: the last comes after some 28 hours.
SCHEDULE = (0, 5, 300, 1800, 7200, 18000, 36000, 36000)
ATTEMPTS = len(SCHEDULE)
THE_START = "start"
THE_END = "end"
"""The deliveries that a job's start and its end begin. A replay, of the end, has an id of its own."""

MIN_KEY_BYTES = 24


class CallbackOutcome(StrEnum):
    DELIVERED = "delivered"
    FAILED = "failed"
    EXHAUSTED = "exhausted"  # the last attempt failed
    GONE = "gone"  # the client answered 410: it wants to hear no more

    @property
    def settled(self) -> bool:
        """No attempt follows."""
        return self is not CallbackOutcome.FAILED


@dataclass(frozen=True, slots=True)
class CallbackTarget:
    """What a job says about its callback."""

    user_id: str
    status: JobStatus
    url: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a POST came to: a status with the beginning of the body, or the error before any."""

    status_code: int | None
    error: str | None
    response: str | None
    duration_ms: int


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    delivery_id: str
    attempt: int
    at: datetime
    outcome: CallbackOutcome
    status_code: int | None
    error: str | None
    response: str | None
    duration_ms: int
    next_attempt_at: datetime | None


def delay_after(attempt: int) -> int | None:
    """Seconds from attempt n (from 1) to the next; None after the last."""
    return SCHEDULE[attempt] if attempt < ATTEMPTS else None


def classify_reply(reply: Reply, attempt: int) -> CallbackOutcome:
    if reply.status_code is not None and 200 <= reply.status_code < 300:
        return CallbackOutcome.DELIVERED
    if reply.status_code == 410:
        return CallbackOutcome.GONE
    return CallbackOutcome.FAILED if attempt < ATTEMPTS else CallbackOutcome.EXHAUSTED


def user_secrets(configured: str, user_id: str) -> list[str]:
    """The user's secrets, each derived from one of the stage's; the first is the current one.

    `configured` is `whsec_…`, or several separated by commas while rotating; those that are
    malformed are left out. Raises ConfigurationError when none is left.
    """
    usable, _ = read_secrets(configured, MIN_KEY_BYTES)
    if not usable:
        message = "callback-signing-secret must be whsec_ and the base64 of 24 bytes or more."
        raise ConfigurationError(message, parameter="callback-signing-secret")
    return [_user_secret(secret, user_id) for secret in usable]


def _user_secret(stage_secret: str, user_id: str) -> str:
    key = base64.b64decode(stage_secret.removeprefix("whsec_"))
    derived = hmac.new(key, f"vsl-callback:{user_id}".encode(), hashlib.sha256).digest()
    return "whsec_" + base64.b64encode(derived).decode()


def event_of(delivery_id: str) -> CallbackEvent:
    return CallbackEvent.STARTED if delivery_id == THE_START else CallbackEvent.ENDED


def signed_headers(
    job_id: str, event: CallbackEvent, at: datetime, body: bytes, secrets: Sequence[str]
) -> dict[str, str]:
    """The id stays the same over all attempts: by it a receiver knows what it has seen."""
    identifier = f"msg_{job_id}" if event is CallbackEvent.ENDED else f"msg_{job_id}_{event}"
    timestamp = str(int(at.timestamp()))
    signatures = [f"v1,{sign(secret, identifier, timestamp, body)}" for secret in secrets]
    return {
        "webhook-id": identifier,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }
