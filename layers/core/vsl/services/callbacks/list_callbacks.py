"""The log of a job's callbacks."""

from dataclasses import dataclass
from typing import Any

from vsl.domain.api.caller import Caller
from vsl.domain.callbacks.callback import DeliveryAttempt
from vsl.domain.jobs.job import iso
from vsl.services.callbacks.callback_target import callback_target
from vsl.services.ports.publishing import CallbackLog


@dataclass(frozen=True, slots=True)
class ListCallbacks:
    log: CallbackLog

    def __call__(self, job_id: str, caller: Caller) -> dict[str, Any]:
        """The latest 100 attempts, newest first. Raises JobNotFound, also for a job of another user."""
        target = callback_target(self.log, job_id, caller)
        attempts = self.log.attempts(job_id) if target.url else ()
        return {
            "jobId": job_id,
            "callbackUrl": target.url,
            "attempts": [_shown(attempt) for attempt in attempts],
        }


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
