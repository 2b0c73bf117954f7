"""A row of `jobs` with its assets, as the status document."""

from collections.abc import Mapping
from typing import Any

from vsl.domain.jobs.job import Job, JobStatus, MediaAsset, MediaType
from vsl.domain.jobs.status import ErrorDocument, StatusDocument, status_document
from vsl.domain.money.amounts import dollars, plain_if_known

# To be followed by WHERE.
SELECT_DOCUMENT = """
    SELECT
        job_id, user_id, media_type, model_id, estimated_time, estimated_cost, timeout_seconds,
        created_at, status, updated_at, completed_at, replicate_id, actual_cost, error_code,
        error_message, error_detail, logs, parameters->>'prompt' AS prompt, metadata,
        CASE WHEN completed_at IS NULL THEN (
            SELECT amount FROM holds WHERE holds.job_id = jobs.job_id
        ) END AS held,
        ARRAY(
            SELECT to_jsonb(a) - 'job_id' FROM media_assets a
            WHERE a.job_id = jobs.job_id ORDER BY a.index
        ) AS assets
    FROM jobs
"""


def document(row: Mapping[str, Any]) -> StatusDocument:
    """The same document that was cached when the job ended, times and money included."""
    job = Job(
        job_id=str(row["job_id"]),
        user_id=row["user_id"],
        media_type=MediaType(row["media_type"]),
        model_id=row["model_id"],
        parameters={},
        estimated_time=row["estimated_time"],
        estimated_cost=plain_if_known(row["estimated_cost"]),
        timeout_seconds=row["timeout_seconds"],
        created_at=row["created_at"],
    )
    error: ErrorDocument | None = None
    if row["error_code"] is not None:
        error = {
            "code": row["error_code"],
            "message": row["error_message"] or "",
            "detail": row["error_detail"],
        }
    return status_document(
        job,
        JobStatus(row["status"]),
        row["completed_at"] or row["updated_at"],
        completed_at=row["completed_at"],
        replicate_id=row["replicate_id"],
        assets=tuple(MediaAsset(**asset) for asset in row["assets"]),
        error=error,
        actual_cost=plain_if_known(row["actual_cost"]),
        held_cost=None if row["held"] is None else dollars(row["held"]),
        logs=row["logs"],
        asked={"prompt": row["prompt"], "metadata": row["metadata"]},
    )
