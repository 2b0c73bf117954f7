"""Where a job stands: Redis first, then DynamoDB, then PostgreSQL.

The cache holds S3 keys; addresses are signed on every read, so none is ever stale.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from vsl.domain.caller import Caller, job_not_found
from vsl.domain.errors import InvalidRequest
from vsl.domain.ids import is_job_id
from vsl.domain.live_job import LiveJob
from vsl.domain.status import StatusDocument, current_progress, status_document
from vsl.services.ports import Accounting, LiveJobs, Signer, StatusCache


@dataclass(frozen=True, slots=True)
class StatusStores:
    """Where a status is looked for, in this order."""

    cache: StatusCache
    live: LiveJobs
    accounting: Accounting


def read_status(job_id: str, caller: Caller, stores: StatusStores) -> StatusDocument:
    """Raises JobNotFound, also for a job of somebody else's."""
    if not is_job_id(job_id):
        raise job_not_found(job_id)
    document = stores.cache.get(job_id)
    if document is None:
        item = stores.live.get(job_id)
        document = live_document(item) if item else stores.accounting.status(job_id)
        if document is None:
            raise job_not_found(job_id)
        stores.cache.put(document)
    caller.check(job_id, document["userId"])
    return document


def included(text: str | None) -> bool:
    """Whether `?include=parameters` is asked for. Raises InvalidRequest for anything else."""
    if text not in {None, "parameters"}:
        message = "must be parameters"
        fields = [{"field": "include", "message": message}]
        raise InvalidRequest(f"include {message}.", fields=fields)
    return text is not None


def public_status(
    document: StatusDocument, signer: Signer, now: datetime | None = None
) -> dict[str, Any]:
    """The document as clients see it; `result` is the first output, `outputs` are all of them."""
    outputs = [_output(asset, signer) for asset in document["assets"]]
    error = document["error"]
    answer: dict[str, Any] = {
        "jobId": document["jobId"],
        "status": document["status"],
        "mediaType": document["mediaType"],
        "modelId": document["modelId"],
        "createdAt": document["createdAt"],
        "updatedAt": document["updatedAt"],
        "completedAt": document["completedAt"],
        "estimatedTime": document["estimatedTime"],
        "estimatedCost": float(document["estimatedCost"]),
        "actualCost": None if document["actualCost"] is None else float(document["actualCost"]),
        "replicateId": document["replicateId"],
        "progress": current_progress(document, now),
        "result": outputs[0] if outputs else None,
        "outputs": outputs,
        "error": error["message"] if error else None,
        "errorCode": error["code"] if error else None,
        "logs": document.get("logs"),
    }
    return answer


def live_document(item: LiveJob) -> StatusDocument:
    """The job as its live item knows it; once it has ended, the document written with the end."""
    if item.result is not None:
        return cast("StatusDocument", item.result)
    return status_document(
        item.job,
        item.status,
        item.updated_at,
        replicate_id=item.replicate_id,
        progress=item.progress,
        logs=item.logs,
    )


def _output(asset: dict[str, Any], signer: Signer) -> dict[str, Any]:
    thumbnail = asset["thumbnailKey"]
    return {
        "originalUrl": signer.url(asset["s3Key"], asset["contentType"]),
        "thumbnailUrl": signer.url(thumbnail, "image/webp") if thumbnail else None,
        "s3Path": asset["s3Key"],
        "contentType": asset["contentType"],
        "fileSize": asset["fileSize"],
        "sha256": asset["sha256"],
        "width": asset["width"],
        "height": asset["height"],
        "duration": asset["duration"],
        "fps": asset["fps"],
        "codec": asset["codec"],
    }
