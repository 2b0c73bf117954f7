"""What a prediction shows of its job: `services.ports.compat.PredictionQueries`."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from vsl.adapters.postgres.connection import PostgresConnection
from vsl.domain.compat.replicate_prediction import PredictionFacts

# Events are written at a job's end: while it runs nothing says when the provider began.
_FACTS = """
    SELECT
        job_id, parameters, callback_url, predict_time, total_time,
        (
            SELECT min(at) FROM job_events e WHERE e.job_id = jobs.job_id AND name = 'submitted'
        ) AS started_at
    FROM jobs WHERE job_id = ANY(%(job_ids)s) AND deleted_at IS NULL
"""


class PostgresPredictionQueries:
    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection

    def facts(self, job_ids: Sequence[str]) -> Mapping[str, PredictionFacts]:
        if not job_ids:
            return {}
        rows = self._connection.rows(_FACTS, {"job_ids": [UUID(each) for each in job_ids]})
        return {
            str(row["job_id"]): PredictionFacts(
                parameters=row["parameters"],
                callback_url=row["callback_url"],
                started_at=row["started_at"],
                predict_time=row["predict_time"],
                total_time=row["total_time"],
            )
            for row in rows
        }
