"""Tell one client of its job's end, once: one attempt, written down, and when to try again.

Delivered at least once: who dies between the answer and the record sends again, with the same
webhook-id. The status is read from PostgreSQL and its addresses are signed at each attempt.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from vsl.domain.callback import (
    CallbackOutcome,
    DeliveryAttempt,
    delay_after,
    judge,
    signed_headers,
    user_secrets,
)
from vsl.services.get_status import public_status
from vsl.services.ports import Accounting, CallbackLog, CallbackPost, Clock, Metrics, Signer


@dataclass(frozen=True, slots=True)
class CallbackMessage:
    """`attempt` counts from 1."""

    job_id: str
    delivery_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Messenger:
    """What a delivery needs, bound once; `secret` is that of the stage."""

    accounting: Accounting
    log: CallbackLog
    post: CallbackPost
    signer: Signer
    secret: Callable[[], str]
    clock: Clock
    metrics: Metrics


def deliver_callback(message: CallbackMessage, messenger: Messenger) -> CallbackOutcome | None:
    """What the attempt came to; None when there was nothing to send."""
    log, job_id = messenger.log, message.job_id
    target = log.target(job_id)
    if target is None or target.url is None or log.settled(job_id, message.delivery_id):
        return None
    document = messenger.accounting.status(job_id)
    if document is None or not target.status.terminal:
        return None
    body = json.dumps(
        public_status(document, messenger.signer), ensure_ascii=False, separators=(",", ":")
    ).encode()
    now = messenger.clock.now()
    headers = signed_headers(job_id, now, body, user_secrets(messenger.secret(), target.user_id))
    reply = messenger.post.post(target.url, body, headers)
    outcome = judge(reply, message.attempt)
    attempt = DeliveryAttempt(
        delivery_id=message.delivery_id,
        attempt=message.attempt,
        at=now,
        outcome=outcome,
        status_code=reply.status_code,
        error=reply.error,
        response=reply.response,
        duration_ms=reply.duration_ms,
        next_attempt_at=_next(outcome, message.attempt, messenger.clock.now()),
    )
    log.add(job_id, attempt)
    messenger.metrics.count("CallbackAttempted", outcome=outcome.value)
    return outcome


def _next(outcome: CallbackOutcome, attempt: int, now: datetime) -> datetime | None:
    delay = None if outcome.settled else delay_after(attempt)
    return None if delay is None else now + timedelta(seconds=delay)
