"""Where a job's time went: segments without gaps, from the request to the end, or to now.

Each mark on the job begins a phase, which lasts until the next one; so the segments sum to the
whole by construction. The provider's own times split what happens there; its clock may differ from
ours, so they are kept within the marks of ours around them. What was held, paid and given back of the
user's money stands among the events.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from vsl.domain.jobs.job import JobEvent, JobStatus, WebhookReceipt, iso
from vsl.domain.predictions.provider_values import seconds_of, time_of

PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class JobRecord:
    """What is written down of a job's course, wherever it was read. Costs are US dollars, the
    estimate None for a model without a price.

    `movements` are those of the user's money, named as in the ledger, with the amount as their detail.
    """

    job_id: str
    user_id: str
    status: JobStatus
    created_at: datetime
    completed_at: datetime | None
    estimated_cost: Decimal | None
    held_cost: Decimal | None = None
    actual_cost: Decimal | None = None
    events: tuple[JobEvent, ...] = ()
    movements: tuple[JobEvent, ...] = ()
    webhooks: tuple[WebhookReceipt, ...] = ()
    execution_arn: str | None = None


@dataclass(frozen=True, slots=True)
class _Phase:
    name: str
    start: datetime
    actor: str
    detail: Mapping[str, Any] = field(default_factory=dict)


def timeline(record: JobRecord, now: datetime) -> dict[str, Any]:
    """The public document: times to the millisecond, durations in seconds."""
    marks = {event.name: event for event in record.events}
    end = _whole(record.completed_at or max(now, record.created_at))
    start = _whole(record.created_at)
    recorded = marks.get("outcome_recorded")
    return {
        "jobId": record.job_id,
        "status": record.status.value,
        "createdAt": iso(start),
        "completedAt": None if record.completed_at is None else iso(end),
        "wallTime": _seconds(end - start),
        "wokenBy": recorded.source if recorded else None,
        "retries": max(0, len(_attempts(record)) - 1),
        "estimatedCost": _dollars(record.estimated_cost),
        "heldCost": _dollars(record.held_cost),
        "actualCost": _dollars(record.actual_cost),
        "segments": _segments(list(_phases(record, marks)), start, end),
        "events": _events(record),
    }


def _phases(record: JobRecord, marks: Mapping[str, JobEvent]) -> Iterator[_Phase]:
    yield from _admission(record, marks)
    yield from _submission(record, marks)
    submitted, recorded = marks.get("submitted"), marks.get("outcome_recorded")
    if submitted:
        yield _Phase("queue", submitted.at, PROVIDER, dict(submitted.detail))
    started, completed = _provider_times(record, submitted, recorded)
    if started:
        yield _Phase("run", started, PROVIDER)
    if recorded:
        if completed:
            yield _Phase("notify", completed, recorded.source)
        wake = "wake" if "storing" in marks else "finalize"
        yield _Phase(wake, recorded.at, "workflow")
    if "storing" in marks:
        stored = marks.get("stored")
        yield _Phase(
            "store", marks["storing"].at, "workflow", dict(stored.detail) if stored else {}
        )
        if stored:
            yield _Phase("finalize", stored.at, "workflow")


def _admission(record: JobRecord, marks: Mapping[str, JobEvent]) -> Iterator[_Phase]:
    yield _Phase("validate", record.created_at, "workflow")
    for mark, phase in (("validated", "rate_limit"), ("admitted", "start")):
        if mark in marks:
            yield _Phase(phase, marks[mark].at, "workflow")


def _submission(record: JobRecord, marks: Mapping[str, JobEvent]) -> list[_Phase]:
    """The attempts, and the latest wait for a slot before or between them."""
    attempts, queued, dequeued = _attempts(record), marks.get("queued"), marks.get("dequeued")
    phases: list[_Phase] = []
    if len(attempts) > 1:
        # What earlier attempts took, their predictions included, is one segment.
        phases.append(_Phase("retry", attempts[0].at, "workflow", {"attempts": len(attempts) - 1}))
    if attempts:
        phases.append(_Phase("submit", attempts[-1].at, "workflow"))
    if queued is None:
        return phases
    before = [phase for phase in phases if phase.start < queued.at]
    after = phases[len(before) :]
    # A job that waits once more still has the mark of the turn it had before.
    if dequeued and dequeued.at >= queued.at:
        first = after[0] if after else _Phase("submit", dequeued.at, "workflow")
        after[:1] = [replace(first, start=dequeued.at)]
    return [*before, _Phase("slot", queued.at, "workflow"), *after]


def _attempts(record: JobRecord) -> list[JobEvent]:
    intents = [event for event in record.events if event.name.startswith("intent_")]
    return sorted(intents, key=lambda event: event.at)


def _provider_times(
    record: JobRecord, submitted: JobEvent | None, recorded: JobEvent | None
) -> tuple[datetime | None, datetime | None]:
    """When the model began and ended; the start webhook stands in for what was not told."""
    detail = recorded.detail if recorded else {}
    # An event that an older version wrote may hold what would not be taken today.
    started, completed = time_of(detail.get("startedAt")), time_of(detail.get("completedAt"))
    if started is None and completed is not None and (run := seconds_of(detail.get("predictTime"))):
        started = completed - timedelta(seconds=run)
    if started is None and submitted is not None:
        # The start webhook has no terminal status, whatever else it says.
        signs = [
            receipt.received_at
            for receipt in record.webhooks
            if receipt.prediction_status in {"starting", "processing"}
            and receipt.replicate_id == submitted.detail.get("replicateId")
        ]
        started = min(signs, default=None)
    lower = submitted.at if submitted else record.created_at
    upper = recorded.at if recorded else None
    return _within(started, lower, upper), _within(completed, lower, upper)


def _within(at: datetime | None, lower: datetime, upper: datetime | None) -> datetime | None:
    if at is None:
        return None
    return max(lower, at if upper is None else min(at, upper))


def _segments(phases: list[_Phase], start: datetime, end: datetime) -> list[dict[str, Any]]:
    """Contiguous from `start` to `end`, however the marks of different clocks lie."""
    found: list[dict[str, Any]] = []
    begins = [start]
    for phase in phases[1:]:
        begins.append(min(end, max(begins[-1], _whole(phase.start))))
    for phase, begin, until in zip(phases, begins, [*begins[1:], end], strict=True):
        found.append(
            {
                "name": phase.name,
                "start": iso(begin),
                "end": iso(until),
                "seconds": _seconds(until - begin),
                "actor": phase.actor,
                "detail": dict(phase.detail),
            }
        )
    return found


def _events(record: JobRecord) -> list[dict[str, Any]]:
    """Every mark, webhook and movement of money, in the order of their times."""
    webhooks = (
        JobEvent(
            "webhook_received",
            receipt.received_at,
            PROVIDER,
            {"replicateId": receipt.replicate_id, "predictionStatus": receipt.prediction_status},
        )
        for receipt in record.webhooks
    )
    return [
        {
            "name": event.name,
            "at": iso(event.at),
            "source": event.source,
            "detail": dict(event.detail),
        }
        for event in sorted(
            (*record.events, *webhooks, *record.movements), key=lambda event: (event.at, event.name)
        )
    ]


def _dollars(cost: Decimal | None) -> str | None:
    return None if cost is None else format(cost, "f")


def _whole(at: datetime) -> datetime:
    """Cut to the millisecond, so that what is printed is what is summed."""
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _seconds(length: timedelta) -> float:
    return round(length.total_seconds(), 3)
