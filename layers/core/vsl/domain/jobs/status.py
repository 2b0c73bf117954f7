"""What is known of a job for a reader: the one document behind every layer of the status cache.

The document holds S3 keys, never signed URLs: those are made when it is read.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NotRequired, TypedDict, cast

from vsl.domain.jobs.job import (
    AssetDocument,
    FinishedJob,
    Job,
    JobStatus,
    MediaAsset,
    iso,
    optional_text,
)
from vsl.domain.jobs.place import PlaceDocument
from vsl.domain.jobs.tracked_job import TrackedJob

# What a guess may say at most, and what is left when only the files have to be fetched.
ALMOST_DONE = 0.95


class ErrorDocument(TypedDict):
    """`detail` is what the provider said of it."""

    code: str
    message: str
    detail: NotRequired[str | None]


class AskedDocument(TypedDict):
    """What a job was asked with: it never changes, and of all stores PostgreSQL alone keeps it."""

    prompt: str | None
    metadata: dict[str, str]


def asked_document(parameters: Mapping[str, Any], metadata: Mapping[str, str]) -> AskedDocument:
    prompt = parameters.get("prompt")
    return {"prompt": prompt if isinstance(prompt, str) else None, "metadata": dict(metadata)}


class StatusDocument(TypedDict):
    """Times are ISO 8601 in UTC, costs are US dollars as decimal text, `assets` are asset documents.

    `heldCost` is what is held of the budgets while the job runs; at its end the ledger tells the rest.
    `progress` (0 to 1) is what the model's log told while it ran, `logs` the end of that log.
    `place` is there while the job waits for a slot at the provider; no document that is kept has it.
    `prompt` and `metadata` are there when PostgreSQL was asked for them.
    """

    jobId: str
    userId: str
    status: str
    mediaType: str
    modelId: str
    createdAt: str
    updatedAt: str
    completedAt: str | None
    estimatedTime: float
    estimatedCost: str | None
    actualCost: str | None
    heldCost: str | None
    replicateId: str | None
    assets: list[AssetDocument]
    error: ErrorDocument | None
    progress: float | None
    logs: str | None
    prompt: NotRequired[str | None]
    metadata: NotRequired[dict[str, str]]
    place: NotRequired[PlaceDocument]


def status_document(  # noqa: PLR0913 - one argument a field
    job: Job,
    status: JobStatus,
    updated_at: datetime,
    *,
    completed_at: datetime | None = None,
    replicate_id: str | None = None,
    assets: tuple[MediaAsset, ...] = (),
    error: ErrorDocument | None = None,
    actual_cost: Decimal | None = None,
    held_cost: Decimal | None = None,
    progress: float | None = None,
    logs: str | None = None,
    asked: AskedDocument | None = None,
) -> StatusDocument:
    document = StatusDocument(
        jobId=job.job_id,
        userId=job.user_id,
        status=status.value,
        mediaType=job.media_type.value,
        modelId=job.model_id,
        createdAt=iso(job.created_at),
        updatedAt=iso(updated_at),
        completedAt=None if completed_at is None else iso(completed_at),
        estimatedTime=job.estimated_time,
        estimatedCost=optional_text(job.estimated_cost),
        actualCost=optional_text(actual_cost),
        heldCost=None if held_cost is None else format(held_cost.normalize(), "f"),
        replicateId=replicate_id,
        assets=[asset.document() for asset in assets],
        error=error,
        progress=progress,
        logs=logs,
    )
    return document if asked is None else with_asked(document, asked)


def with_asked(document: StatusDocument, asked: AskedDocument) -> StatusDocument:
    return {**document, "prompt": asked["prompt"], "metadata": asked["metadata"]}


def finished_document(finished: FinishedJob) -> StatusDocument:
    """The document of a job that has ended."""
    error: ErrorDocument | None = None
    if finished.error_code is not None:
        error = {
            "code": finished.error_code,
            "message": finished.error_message or "",
            "detail": finished.error_detail,
        }
    return status_document(
        finished.job,
        finished.status,
        finished.completed_at,
        completed_at=finished.completed_at,
        replicate_id=finished.replicate_id,
        assets=finished.assets,
        error=error,
        actual_cost=finished.actual_cost,
        logs=finished.logs,
        asked=asked_document(finished.job.parameters, finished.job.metadata),
    )


def tracked_document(item: TrackedJob) -> StatusDocument:
    """The document of a job by its tracking item; after its end, the one that was written with the end."""
    if item.result is not None:
        return cast("StatusDocument", item.result)
    return status_document(
        item.job,
        item.status,
        item.updated_at,
        replicate_id=item.replicate_id,
        held_cost=None if item.status.terminal else item.job.hold,
        progress=item.progress,
        logs=item.logs,
    )


def current_progress(document: StatusDocument, now: datetime | None) -> float | None:
    """From 0 to 1, in hundredths; None before the work has begun and when it came to nothing.

    While the model works it is what its log told, otherwise guessed from the time since the request;
    without `now` nothing is guessed.
    """
    status = JobStatus(document["status"])
    if status is JobStatus.SUCCEEDED:
        return 1.0
    if status is JobStatus.STORING:
        return ALMOST_DONE
    if status is not JobStatus.PROCESSING:
        return None
    told = document.get("progress")
    if told is not None:
        return min(told, ALMOST_DONE)
    if now is None or not document["estimatedTime"]:
        return None
    elapsed = (now - datetime.fromisoformat(document["createdAt"])).total_seconds()
    return round(min(max(elapsed / document["estimatedTime"], 0.0), ALMOST_DONE), 2)
