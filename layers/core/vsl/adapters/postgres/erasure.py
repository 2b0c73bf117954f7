"""Deleting a job in PostgreSQL: `services.ports.jobs.Erasure` over the schema in `database/`."""

from datetime import datetime
from uuid import UUID

from vsl.adapters.postgres.connection import Connection, PostgresConnection
from vsl.domain.catalogue.uploads import handle_of
from vsl.domain.jobs.ids import created_at
from vsl.domain.jobs.job import MediaType
from vsl.domain.jobs.object_keys import JobPlace

# The constraint `jobs_deleted_has_ended` refuses a job that still runs.
_ERASE = """
    UPDATE jobs SET deleted_at = %(at)s, parameters = '{}', metadata = '{}',
        error_message = NULL, error_detail = NULL, logs = NULL,
        execution_arn = NULL, callback_url = NULL
    WHERE job_id = %(job_id)s AND deleted_at IS NULL
"""
_ERASED = """
    SELECT job_id, user_id, media_type, created_at FROM jobs
    WHERE job_id = %(job_id)s AND deleted_at IS NOT NULL
"""
# Uploads live for a day, and a job that was asked for with one is younger than that.
_USES_UPLOAD = """
    SELECT 1 FROM jobs
    WHERE user_id = %(user_id)s AND created_at > %(uploaded_at)s AND job_id <> %(besides)s
        AND deleted_at IS NULL AND jsonb_path_exists(
            parameters, '$.* ? (@ == $handle)', jsonb_build_object('handle', %(handle)s::text))
    LIMIT 1
"""
_ERASE_BELOW = (
    "DELETE FROM media_assets WHERE job_id = %(job_id)s",
    "DELETE FROM callback_deliveries WHERE job_id = %(job_id)s",
    "UPDATE job_events SET detail = '{}' WHERE job_id = %(job_id)s",
)


class PostgresErasure:
    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection

    def erased(self, job_id: str) -> JobPlace | None:
        rows = self._connection.rows(_ERASED, {"job_id": UUID(job_id)})
        if not rows:
            return None
        row = rows[0]
        return JobPlace(job_id, row["user_id"], MediaType(row["media_type"]), row["created_at"])

    def uses_upload(self, user_id: str, upload_id: str, besides: str) -> bool:
        values = {
            "user_id": user_id,
            "uploaded_at": created_at(upload_id),  # made like a job's id
            "besides": UUID(besides),
            "handle": handle_of(upload_id),
        }
        return bool(self._connection.rows(_USES_UPLOAD, values))

    def erase(self, job_id: str, at: datetime) -> None:
        self._connection.run(lambda connection: _erase(connection, UUID(job_id), at))


def _erase(connection: Connection, job_id: UUID, at: datetime) -> None:
    with connection.transaction():
        for statement in (_ERASE, *_ERASE_BELOW):
            connection.execute(statement.encode(), {"job_id": job_id, "at": at})
