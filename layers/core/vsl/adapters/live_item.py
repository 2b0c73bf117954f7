"""The live item's attributes: how a LiveJob looks in DynamoDB, and back.

Times are whole milliseconds (N) where they are compared, ISO text (S) where they are shown.
"""

import json
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from vsl.domain.ids import timestamp_of
from vsl.domain.job import Job, JobEvent, JobStatus, MediaType, Waste, WebhookReceipt, iso
from vsl.domain.live_job import LiveJob
from vsl.domain.prediction import Outcome
from vsl.domain.status import StatusDocument

SHARDS = 8
LIVE_ITEM_LIFE = timedelta(days=30)
_USUAL_SOURCE = "workflow"


def key(job_id: str) -> dict[str, Any]:
    return {"jobId": job_id, "timestamp": timestamp_of(job_id)}


def shard(job_id: str) -> str:
    """One of SHARDS partitions of the in-flight index, so that no single one runs hot."""
    return str(zlib.crc32(job_id.encode()) % SHARDS)


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def moment(value: object) -> datetime:
    return datetime.fromtimestamp(int(str(value)) / 1000, UTC)


def identity(job: Job) -> dict[str, Any]:
    """What never changes about a job; the parameters stay out: prompts belong to PostgreSQL."""
    known = {
        "userId": job.user_id,
        "mediaType": job.media_type.value,
        "modelId": job.model_id,
        "estimatedTime": Decimal(str(job.estimated_time)),
        "estimatedCost": str(job.estimated_cost),
        "timeoutSeconds": job.timeout_seconds,
        "reruns": job.reruns,
        "createdAt": iso(job.created_at),
        "ttl": int((job.created_at + LIVE_ITEM_LIFE).timestamp()),
    }
    return known | ({"callbackUrl": job.callback_url} if job.callback_url else {})


def event_map(event: JobEvent) -> dict[str, Any]:
    """What goes without saying is left out: every write pays for the whole item by the kilobyte."""
    source = {} if event.source == _USUAL_SOURCE else {"source": event.source}
    return (
        {"at": iso(event.at)} | source | ({"detail": plain(event.detail)} if event.detail else {})
    )


def receipt_map(receipt: WebhookReceipt) -> dict[str, Any]:
    return {
        "replicateId": receipt.replicate_id,
        "status": receipt.prediction_status,
        "receivedAt": iso(receipt.received_at),
    }


def live_job(item: Mapping[str, Any]) -> LiveJob:
    job = Job(
        job_id=item["jobId"],
        user_id=item["userId"],
        media_type=MediaType(item["mediaType"]),
        model_id=item["modelId"],
        parameters={},
        estimated_time=float(item["estimatedTime"]),
        estimated_cost=Decimal(item["estimatedCost"]),
        timeout_seconds=int(item["timeoutSeconds"]),
        created_at=datetime.fromisoformat(item["createdAt"]),
        reruns=int(item["reruns"]),
        callback_url=item.get("callbackUrl"),
    )
    outcome = item.get("outcome")
    return LiveJob(
        job=job,
        status=JobStatus(item["status"]),
        deadline=moment(item["deadlineAt"]),
        updated_at=datetime.fromisoformat(item["updatedAt"]),
        attempt=int(item.get("attempt", 0)),
        intent_at=moment(item["intentAt"]) if "intentAt" in item else None,
        replicate_id=item.get("replicateId"),
        task_token=item.get("taskToken"),
        released=bool(item.get("released", False)),
        outcome=Outcome.from_document(outcome) if outcome else None,
        check_count=int(item.get("checkCount", 0)),
        past=frozenset(item.get("past") or ()),
        cancel_requested_at=(
            moment(item["cancelRequestedAt"]) if "cancelRequestedAt" in item else None
        ),
        execution_arn=item.get("executionArn"),
        result=_result(item),
        announced=bool(item.get("announced", False)),
        logs=item.get("logs"),
        progress=float(item["progress"]) if "progress" in item else None,
        events=_events(item.get("events") or {}),
        webhooks=_receipts(item.get("webhooks") or {}),
        waste=_waste(item.get("waste") or {}),
    )


def result_text(document: StatusDocument) -> str:
    """The document without the logs: the item has them already."""
    return json.dumps({name: value for name, value in document.items() if name != "logs"})


def _result(item: Mapping[str, Any]) -> dict[str, Any] | None:
    return {**json.loads(item["result"]), "logs": item.get("logs")} if "result" in item else None


def waste_map(waste: Waste) -> dict[str, Any]:
    known = {
        "foundAt": iso(waste.found_at),
        "source": waste.source,
        "cost": None if waste.cost is None else str(waste.cost),
    }
    return known | ({"ended": True} if waste.ended else {})


def plain(value: object) -> Any:
    """The value with floats as exact decimals, as DynamoDB wants its numbers."""
    return json.loads(json.dumps(value), parse_float=Decimal)


def simple(value: object) -> Any:
    """The value with DynamoDB's decimals as the numbers of JSON."""

    def number(decimal: object) -> int | float:
        if not isinstance(decimal, Decimal):
            raise TypeError(type(decimal).__name__)
        return int(decimal) if decimal == decimal.to_integral_value() else float(decimal)

    return json.loads(json.dumps(value, default=number))


def _events(marks: Mapping[str, Any]) -> tuple[JobEvent, ...]:
    events = (
        JobEvent(
            name,
            datetime.fromisoformat(mark["at"]),
            mark.get("source", _USUAL_SOURCE),
            simple(mark["detail"]) if "detail" in mark else {},
        )
        for name, mark in marks.items()
    )
    return tuple(sorted(events, key=lambda event: (event.at, event.name)))


def _receipts(receipts: Mapping[str, Any]) -> tuple[WebhookReceipt, ...]:
    return tuple(
        WebhookReceipt(
            webhook_id,
            entry["replicateId"],
            entry["status"],
            datetime.fromisoformat(entry["receivedAt"]),
        )
        for webhook_id, entry in sorted(receipts.items())
    )


def _waste(entries: Mapping[str, Any]) -> tuple[Waste, ...]:
    return tuple(
        Waste(
            replicate_id,
            datetime.fromisoformat(entry["foundAt"]),
            entry["source"],
            None if entry["cost"] is None else Decimal(entry["cost"]),
            bool(entry.get("ended", False)),
        )
        for replicate_id, entry in sorted(entries.items())
    )
