"""The attributes of a tracking item: a TrackedJob as DynamoDB stores it, and back.

Times are whole milliseconds (N) where they are compared, ISO text (S) where they are shown.
"""

import json
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from vsl.domain.jobs.ids import created_at, timestamp_of
from vsl.domain.jobs.job import (
    MAX_TIMEOUT_SECONDS,
    THE_END_ALONE,
    Job,
    JobEvent,
    JobStatus,
    MediaType,
    OrphanedPrediction,
    Priority,
    WebhookReceipt,
    callback_events,
    iso,
    optional_dollars,
    optional_text,
)
from vsl.domain.jobs.status import AskedDocument, StatusDocument
from vsl.domain.jobs.terms import PriceTerms
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.predictions.output import OutputKind
from vsl.domain.predictions.prediction import Outcome
from vsl.domain.predictions.search import Intent, Search

SHARDS = 8
TRACKING_ITEM_LIFE = timedelta(days=30)
_USUAL_SOURCE = "workflow"


def key(job_id: str) -> dict[str, Any]:
    return {"jobId": job_id, "timestamp": timestamp_of(job_id)}


def shard(job_id: str) -> str:
    """One of SHARDS partitions of the in-flight index, so that no single one runs hot."""
    return str(zlib.crc32(job_id.encode()) % SHARDS)


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def parse_epoch_ms(value: object) -> datetime:
    return datetime.fromtimestamp(int(str(value)) / 1000, UTC)


def identity(job: Job) -> dict[str, Any]:
    """What never changes about a job; the parameters stay out: prompts belong to PostgreSQL."""
    known: dict[str, Any] = {
        "userId": job.user_id,
        "mediaType": job.media_type.value,
        "modelId": job.model_id,
        "estimatedTime": Decimal(str(job.estimated_time)),
        "estimatedCost": optional_text(job.estimated_cost),
        "timeoutSeconds": job.timeout_seconds,
        "reruns": job.reruns,
        "createdAt": iso(job.created_at),
        "ttl": int((job.created_at + TRACKING_ITEM_LIFE).timestamp()),
    }
    if job.callback_url:
        known["callbackUrl"] = job.callback_url
    if job.callback_events != THE_END_ALONE:
        known["callbackEvents"] = [event.value for event in job.callback_events]
    if job.priority is not Priority.INTERACTIVE:
        known["priority"] = job.priority.value
    if job.weight != 1:
        known["weight"] = job.weight
    if job.output is not OutputKind.FILES:
        known["output"] = job.output.value
    if job.price:
        known["price"] = job.price.document()
    return known


def event_map(event: JobEvent) -> dict[str, Any]:
    """What goes without saying is left out: every write pays for the whole item by the kilobyte."""
    source = {} if event.source == _USUAL_SOURCE else {"source": event.source}
    return (
        {"at": iso(event.at)}
        | source
        | ({"detail": to_dynamodb(event.detail)} if event.detail else {})
    )


def receipt_map(receipt: WebhookReceipt) -> dict[str, Any]:
    return {
        "replicateId": receipt.replicate_id,
        "status": receipt.prediction_status,
        "receivedAt": iso(receipt.received_at),
    }


def tombstone(job_id: str, at: datetime, sweep_at: datetime) -> dict[str, Any]:
    """What stays of a deleted job until nothing of it can be written any more.

    Nothing personal; the poller comes by at `sweep_at`. It counts as ended, and as no job.
    """
    return key(job_id) | {
        "status": JobStatus.CANCELED.value,
        "deletedAt": milliseconds(at),
        "sweepAt": milliseconds(sweep_at),
        "inFlightShard": shard(job_id),
        "nextCheckAt": milliseconds(sweep_at),
        "ttl": int((at + TRACKING_ITEM_LIFE).timestamp()),
    }


def known(item: Mapping[str, Any]) -> TrackedJob | None:
    """None for a job that is deleted."""
    return None if "deletedAt" in item else tracked_job(item)


def tracked_job(item: Mapping[str, Any]) -> TrackedJob:
    """An item of another version may lack what this one writes: whose job it is and what it makes must
    be there."""
    began = created_at(item["jobId"])
    if "createdAt" in item:
        began = datetime.fromisoformat(item["createdAt"])
    job = Job(
        job_id=item["jobId"],
        user_id=item["userId"],
        media_type=MediaType(item["mediaType"]),
        model_id=item["modelId"],
        parameters={},
        estimated_time=float(item.get("estimatedTime", 0)),
        estimated_cost=optional_dollars(item.get("estimatedCost", 0)),
        timeout_seconds=int(item.get("timeoutSeconds", MAX_TIMEOUT_SECONDS)),
        created_at=began,
        reruns=int(item.get("reruns", 1)),
        callback_url=item.get("callbackUrl"),
        callback_events=callback_events(item),
        priority=Priority(item.get("priority", Priority.INTERACTIVE)),
        weight=int(item.get("weight", 1)),
        output=OutputKind(item.get("output", OutputKind.FILES)),
        price=PriceTerms.from_document(item.get("price")),
    )
    outcome = item.get("outcome")
    return TrackedJob(
        job=job,
        status=JobStatus(item.get("status", JobStatus.PENDING)),
        deadline=parse_epoch_ms(item["deadlineAt"]) if "deadlineAt" in item else job.deadline,
        updated_at=datetime.fromisoformat(item["updatedAt"]) if "updatedAt" in item else began,
        attempt=int(item.get("attempt", 0)),
        intent_at=parse_epoch_ms(item["intentAt"]) if "intentAt" in item else None,
        intent=_intent(item.get("intent")),
        search=_search(item.get("search")),
        replicate_id=item.get("replicateId"),
        task_token=item.get("taskToken"),
        token_completed=bool(item.get("tokenCompleted", False)),
        outcome=Outcome.from_document(outcome) if outcome else None,
        check_count=int(item.get("checkCount", 0)),
        abandoned_ids=frozenset(item.get("abandonedIds") or ()),
        cancel_requested_at=(
            parse_epoch_ms(item["cancelRequestedAt"]) if "cancelRequestedAt" in item else None
        ),
        own_deadline=parse_epoch_ms(item["ownDeadlineAt"]) if "ownDeadlineAt" in item else None,
        queued_at=parse_epoch_ms(item["queuedAt"]) if "queuedAt" in item else None,
        execution_arn=item.get("executionArn"),
        result=_result(item),
        published=bool(item.get("published", False)),
        logs=item.get("logs") or None,
        progress=float(item["progress"]) if "progress" in item else None,
        events=_events(item.get("events") or {}),
        webhooks=_receipts(item.get("webhooks") or {}),
        orphans=_orphans(item.get("orphans") or {}),
        settled_id=item.get("settledId"),
    )


def intent_text(intent: Intent) -> str:
    return f"{intent.claim} {intent.model} {intent.text}"


def _intent(text: str | None) -> Intent | None:
    return Intent(*[*text.split(" "), "", ""][:3]) if text else None


def search_map(search: Search) -> dict[str, Any]:
    known = {"before": milliseconds(search.before)}
    return known | ({"examined": set(search.examined)} if search.examined else {})


def _search(entry: Mapping[str, Any] | None) -> Search | None:
    if not entry:
        return None
    return Search(parse_epoch_ms(entry["before"]), frozenset(entry.get("examined") or ()))


def result_text(document: StatusDocument) -> str:
    """The document without the logs, which the item has already, and without what was asked: that belongs
    to PostgreSQL."""
    left_out = {"logs", *AskedDocument.__annotations__}
    return json.dumps({name: value for name, value in document.items() if name not in left_out})


def _result(item: Mapping[str, Any]) -> dict[str, Any] | None:
    return {**json.loads(item["result"]), "logs": item.get("logs")} if "result" in item else None


def orphan_map(orphan: OrphanedPrediction) -> dict[str, Any]:
    known = {
        "foundAt": iso(orphan.found_at),
        "source": orphan.source,
        "cost": None if orphan.cost is None else str(orphan.cost),
    }
    return known | ({"ended": True} if orphan.ended else {})


def to_dynamodb(value: object) -> Any:
    """The value with floats as exact decimals, as DynamoDB wants its numbers."""
    return json.loads(json.dumps(value), parse_float=Decimal)


def from_dynamodb(value: object) -> Any:
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
            from_dynamodb(mark["detail"]) if "detail" in mark else {},
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


def _orphans(entries: Mapping[str, Any]) -> tuple[OrphanedPrediction, ...]:
    return tuple(
        OrphanedPrediction(
            replicate_id,
            datetime.fromisoformat(entry["foundAt"]),
            entry["source"],
            None if entry["cost"] is None else Decimal(entry["cost"]),
            bool(entry.get("ended", False)),
        )
        for replicate_id, entry in sorted(entries.items())
    )
