"""Lists and timelines of jobs: `services.ports.jobs.JobQueries` over the schema in `database/`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from vsl.adapters.postgres.connection import PostgresConnection
from vsl.adapters.postgres.documents import SELECT_DOCUMENT, document
from vsl.domain.api.job_list import JobFilter, ListedJob, Position
from vsl.domain.jobs.job import JobEvent, JobStatus, WebhookReceipt
from vsl.domain.jobs.timeline import JobRecord
from vsl.domain.money.amounts import dollars, plain_if_known

_RECORD = """
    SELECT
        job_id, user_id, status, created_at, completed_at, execution_arn, estimated_cost, actual_cost,
        (
            SELECT CASE WHEN settled_at IS NULL THEN amount END FROM holds WHERE holds.job_id = jobs.job_id
        ) AS held,
        ARRAY(
            SELECT to_jsonb(e) FROM job_events e WHERE e.job_id = jobs.job_id ORDER BY at, name
        ) AS events,
        ARRAY(
            SELECT to_jsonb(w) FROM webhook_events w
            WHERE w.job_id = jobs.job_id ORDER BY received_at, webhook_id
        ) AS webhooks,
        ARRAY(
            SELECT to_jsonb(l) FROM ledger l
            WHERE l.job_id = jobs.job_id AND 'stage' NOT IN (from_account, to_account) ORDER BY entry
        ) AS movements
    FROM jobs WHERE job_id = %s AND deleted_at IS NULL
"""


# Every word, the last one perhaps not to its end: `light hou` finds "a lighthouse in the light". The
# expression is that of the index jobs_prompt_idx. No word in it: nothing is found.
_HAS_WORDS = """
    to_tsvector('simple', coalesce(parameters->>'prompt', '')) @@
        (nullif(plainto_tsquery('simple', %(words)s)::text, '') || ':*')::tsquery
"""


class PostgresJobQueries:
    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection

    def list_jobs(
        self, wanted: JobFilter, after: Position | None, limit: int
    ) -> Sequence[ListedJob]:
        query, values = list_query(wanted, after, limit)
        rows = self._connection.rows(query, values)
        return [
            ListedJob(Position(row["created_at"], str(row["job_id"])), document(row))
            for row in rows
        ]

    def record(self, job_id: str) -> JobRecord | None:
        rows = self._connection.rows(_RECORD, (UUID(job_id),))
        return _record(rows[0]) if rows else None


def list_query(
    wanted: JobFilter, after: Position | None, limit: int
) -> tuple[str, Mapping[str, Any]]:
    """One page of the list. Only what is asked for is in the text, so that each plan fits."""
    conditions = ["deleted_at IS NULL"]
    values: dict[str, Any] = {"limit": limit}
    given: dict[str, Any] = {
        "user_id = %(user)s": wanted.user_id,
        "media_type = %(type)s": wanted.media_type and wanted.media_type.value,
        "model_id = %(model)s": wanted.model_id,
        "created_at >= %(since)s": wanted.created_after,
        "created_at < %(until)s": wanted.created_before,
    }
    for condition, value in given.items():
        if value is not None:
            conditions.append(condition)
            values[condition.partition("%(")[2].removesuffix(")s")] = value
    if wanted.metadata:
        conditions.append("metadata @> %(metadata)s")
        values["metadata"] = Jsonb(dict(wanted.metadata))
    if wanted.words is not None:
        conditions.append(_HAS_WORDS)
        values["words"] = wanted.words
    if wanted.status is not None and wanted.status.terminal:
        conditions.append("status = %(status)s")
        values["status"] = wanted.status.value
    elif wanted.status is not None:
        # Until the end a row is `pending`; only the tracking item knows more.
        conditions.append("completed_at IS NULL")
    if after is not None:
        conditions.append("(created_at, job_id) < (%(created_at)s, %(job_id)s)")
        values |= {"created_at": after.created_at, "job_id": UUID(after.job_id)}
    where = " AND ".join(conditions)
    page = " ORDER BY created_at DESC, job_id DESC LIMIT %(limit)s"
    return f"{SELECT_DOCUMENT} WHERE {where} {page}", values


def _record(row: Mapping[str, Any]) -> JobRecord:
    return JobRecord(
        job_id=str(row["job_id"]),
        user_id=row["user_id"],
        status=JobStatus(row["status"]),
        created_at=row["created_at"],
        completed_at=row["completed_at"],
        execution_arn=row["execution_arn"],
        estimated_cost=plain_if_known(row["estimated_cost"]),
        held_cost=None if row["held"] is None else dollars(row["held"]),
        actual_cost=plain_if_known(row["actual_cost"]),
        events=tuple(
            JobEvent(
                event["name"], datetime.fromisoformat(event["at"]), event["source"], event["detail"]
            )
            for event in row["events"]
        ),
        webhooks=tuple(
            WebhookReceipt(
                receipt["webhook_id"],
                receipt["replicate_id"],
                receipt["prediction_status"],
                datetime.fromisoformat(receipt["received_at"]),
            )
            for receipt in row["webhooks"]
        ),
        movements=tuple(
            JobEvent(
                movement["movement"],
                datetime.fromisoformat(movement["at"]),
                "money",
                {"amount": str(dollars(movement["amount"]))},
            )
            for movement in row["movements"]
        ),
    )
