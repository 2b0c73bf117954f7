"""The log of callbacks: `services.ports.publishing.CallbackLog` over the schema in `database/`."""

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from vsl.adapters.postgres.connection import PostgresConnection
from vsl.domain.callbacks.callback import CallbackOutcome, CallbackTarget, DeliveryAttempt
from vsl.domain.jobs.job import JobStatus

_TARGET = """
    SELECT user_id, status, callback_url FROM jobs WHERE job_id = %(job_id)s AND deleted_at IS NULL
"""
_SETTLED = """
    SELECT 1 FROM callback_deliveries
    WHERE job_id = %(job_id)s AND delivery_id = %(delivery_id)s AND outcome IN ('delivered', 'gone') LIMIT 1
"""
# Nothing for a job deleted meanwhile; what was delivered stays so, whatever a duplicate came to.
_ADD = """
    INSERT INTO callback_deliveries (
        job_id, delivery_id, attempt, at, outcome, status_code, error, response, duration_ms,
        next_attempt_at
    )
    SELECT job_id, %(delivery_id)s, %(attempt)s, %(at)s, %(outcome)s, %(status_code)s, %(error)s,
        %(response)s, %(duration_ms)s, %(next_attempt_at)s
    FROM jobs WHERE job_id = %(job_id)s AND deleted_at IS NULL
    ON CONFLICT (job_id, delivery_id, attempt) DO UPDATE SET
        at = excluded.at, outcome = excluded.outcome, status_code = excluded.status_code,
        error = excluded.error, response = excluded.response, duration_ms = excluded.duration_ms,
        next_attempt_at = excluded.next_attempt_at
    WHERE callback_deliveries.outcome <> 'delivered'
"""
_ATTEMPTS = """
    SELECT delivery_id, attempt, at, outcome, status_code, error, response, duration_ms,
        next_attempt_at
    FROM callback_deliveries WHERE job_id = %(job_id)s ORDER BY at DESC, attempt DESC LIMIT 100
"""


class PostgresCallbackLog:
    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection

    def target(self, job_id: str) -> CallbackTarget | None:
        rows = self._connection.rows(_TARGET, {"job_id": UUID(job_id)})
        if not rows:
            return None
        row = rows[0]
        return CallbackTarget(row["user_id"], JobStatus(row["status"]), row["callback_url"])

    def settled(self, job_id: str, delivery_id: str) -> bool:
        return bool(
            self._connection.rows(_SETTLED, {"job_id": UUID(job_id), "delivery_id": delivery_id})
        )

    def add(self, job_id: str, attempt: DeliveryAttempt) -> None:
        values = asdict(attempt) | {"job_id": UUID(job_id), "outcome": attempt.outcome.value}
        self._connection.run(lambda connection: connection.execute(_ADD.encode(), values))

    def attempts(self, job_id: str) -> Sequence[DeliveryAttempt]:
        return [
            DeliveryAttempt(**{**row, "outcome": CallbackOutcome(row["outcome"])})
            for row in self._connection.rows(_ATTEMPTS, {"job_id": UUID(job_id)})
        ]
