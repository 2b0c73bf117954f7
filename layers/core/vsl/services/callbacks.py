"""What a client may ask about its callbacks: the log, another delivery, the secret to verify with."""

from typing import Any

from vsl.domain.callback import CallbackTarget, DeliveryAttempt, user_secrets
from vsl.domain.caller import Caller, job_not_found
from vsl.domain.errors import JobNotEnded, NobodyToCall
from vsl.domain.ids import is_job_id
from vsl.domain.job import iso
from vsl.services.ports import CallbackLog, CallbackQueue


def list_callbacks(job_id: str, caller: Caller, log: CallbackLog) -> dict[str, Any]:
    """The latest 100 attempts, newest first. Raises JobNotFound, also for somebody else's job."""
    target = _target(job_id, caller, log)
    attempts = log.attempts(job_id) if target.url else ()
    return {
        "jobId": job_id,
        "callbackUrl": target.url,
        "attempts": [_shown(attempt) for attempt in attempts],
    }


def replay_callback(
    job_id: str, delivery_id: str, caller: Caller, *, log: CallbackLog, queue: CallbackQueue
) -> dict[str, Any]:
    """Ask for another delivery. Raises JobNotFound, JobNotEnded and NobodyToCall."""
    target = _target(job_id, caller, log)
    if target.url is None:
        raise NobodyToCall("The job was asked for without a callbackUrl.", jobId=job_id)
    if not target.status.terminal:
        raise JobNotEnded("The job has not ended: its client will be called then.", jobId=job_id)
    queue.enqueue(job_id, delivery_id)
    return {"jobId": job_id, "deliveryId": delivery_id}


def webhook_secret(caller: Caller, configured: str) -> dict[str, Any]:
    """`previous` are the secrets that still sign as well while the stage's secret is rotated."""
    user_id = caller.require_user()
    current, *previous = user_secrets(configured, user_id)
    return {"userId": user_id, "secret": current, "previous": previous}


def _target(job_id: str, caller: Caller, log: CallbackLog) -> CallbackTarget:
    target = log.target(job_id) if is_job_id(job_id) else None
    if target is None:
        raise job_not_found(job_id)
    caller.check(job_id, target.user_id)
    return target


def _shown(attempt: DeliveryAttempt) -> dict[str, Any]:
    next_at = attempt.next_attempt_at
    return {
        "deliveryId": attempt.delivery_id,
        "attempt": attempt.attempt,
        "at": iso(attempt.at),
        "outcome": attempt.outcome.value,
        "statusCode": attempt.status_code,
        "error": attempt.error,
        "response": attempt.response,
        "durationMs": attempt.duration_ms,
        "nextAttemptAt": iso(next_at) if next_at else None,
    }
