"""One attempt to deliver a job's start or end to its client: sent, logged, with the time of the next attempt.

Delivery is at least once: a function that dies between the client's answer and the log entry sends
again, with the same webhook-id. The status is read from PostgreSQL and its addresses are signed at each
attempt.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vsl.domain.callbacks.callback import (
    CallbackOutcome,
    DeliveryAttempt,
    classify_reply,
    delay_after,
    event_of,
    signed_headers,
    user_secrets,
)
from vsl.domain.jobs.job import CallbackEvent, JobStatus
from vsl.services.ports.jobs import JobRepository
from vsl.services.ports.publishing import CallbackLog, CallbackPost
from vsl.services.ports.system import Clock, Metrics
from vsl.services.reading.show_status import ShowStatus


@dataclass(frozen=True, slots=True)
class CallbackMessage:
    """`attempt` counts from 1."""

    job_id: str
    delivery_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class DeliverCallback:
    """`secret` is that of the stage. `own_shape` is what a callback says to the client of another protocol,
    None where the job came by ours."""

    repository: JobRepository
    log: CallbackLog
    post: CallbackPost
    show: ShowStatus
    secret: Callable[[], str]
    clock: Clock
    metrics: Metrics
    own_shape: Callable[[Mapping[str, Any]], Mapping[str, Any] | None]

    def __call__(self, message: CallbackMessage) -> CallbackOutcome | None:
        """The outcome of the attempt; None when there was nothing to send."""
        job_id = message.job_id
        target = self.log.target(job_id)
        if target is None or target.url is None or self.log.settled(job_id, message.delivery_id):
            return None
        event = event_of(message.delivery_id)
        document = self.repository.status(job_id)
        if document is None or not _due(event, target.status, message.attempt):
            return None
        if not target.status.terminal:  # PostgreSQL hears of the end alone
            document = {**document, "status": JobStatus.PROCESSING.value}
        shown = self.show(document)
        told = self.own_shape(shown) or {"event": event.value, **shown}
        body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        now = self.clock.now()
        secrets = user_secrets(self.secret(), target.user_id)
        reply = self.post.post(target.url, body, signed_headers(job_id, event, now, body, secrets))
        outcome = classify_reply(reply, message.attempt)
        attempt = DeliveryAttempt(
            delivery_id=message.delivery_id,
            attempt=message.attempt,
            at=now,
            outcome=outcome,
            status_code=reply.status_code,
            error=reply.error,
            response=reply.response,
            duration_ms=reply.duration_ms,
            next_attempt_at=_next(outcome, message.attempt, self.clock.now()),
        )
        self.log.add(job_id, attempt)
        self.metrics.count("CallbackAttempted", outcome=outcome.value)
        return outcome


def _due(event: CallbackEvent, status: JobStatus, attempt: int) -> bool:
    """A start that could not be told before the end is not told any more."""
    if event is CallbackEvent.STARTED:
        return attempt == 1 or not status.terminal
    return status.terminal


def _next(outcome: CallbackOutcome, attempt: int, now: datetime) -> datetime | None:
    delay = None if outcome.settled else delay_after(attempt)
    return None if delay is None else now + timedelta(seconds=delay)
