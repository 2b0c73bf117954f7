"""How the last hours went, over all users: what an operator looks at first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from vsl.domain.api.health import Alarm, ApiFigures
from vsl.domain.errors import InvalidRequest
from vsl.domain.jobs.job import JobStatus, iso
from vsl.domain.money.amounts import plain

DEFAULT_HOURS = 24
MOST_HOURS = 720


@dataclass(frozen=True, slots=True)
class Window:
    """The jobs created from `since` up to, not including, `until`."""

    since: datetime
    until: datetime

    @classmethod
    def parse(cls, query: Mapping[str, str], now: datetime) -> "Window":
        """The last `hours` of the query. Raises InvalidRequest."""
        text = query.get("hours", str(DEFAULT_HOURS))
        hours = int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0
        if not 1 <= hours <= MOST_HOURS:
            raise InvalidRequest.of([("hours", f"must be a whole number from 1 to {MOST_HOURS}")])
        return cls(now - timedelta(hours=hours), now)

    def hours(self) -> list[datetime]:
        """The beginning of each full hour of the clock that the window touches."""
        first = self.since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        count = -((first - self.until) // timedelta(hours=1))
        return [first + timedelta(hours=number) for number in range(count)]


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Seconds. None when nothing was measured."""

    p50: float
    p95: float
    p99: float

    def document(self) -> dict[str, float]:
        return {name: round(getattr(self, name), 3) for name in ("p50", "p95", "p99")}


@dataclass(frozen=True, slots=True)
class Tally:
    """Jobs that were created together: in an hour, by a model, in the whole window.

    `spend` is what is known to have been paid and `estimated` what all of them were to cost, in US
    dollars; `wall` the succeeded jobs' time from the request to the end.
    """

    succeeded: int = 0
    failed: int = 0
    canceled: int = 0
    running: int = 0
    spend: Decimal = Decimal(0)
    estimated: Decimal = Decimal(0)
    wall: Percentiles | None = None

    @property
    def success_rate(self) -> float | None:
        """A canceled job counts as neither. None before the first job has ended."""
        decided = self.succeeded + self.failed
        return round(self.succeeded / decided, 4) if decided else None


@dataclass(frozen=True, slots=True)
class ModelTally:
    model_id: str
    media_type: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class Figures:
    """What PostgreSQL knows about a window.

    `phases` and `woken_by` are measured on the newest ended jobs; `running` are the ids of jobs
    that run, whenever they were created, the oldest first, `running_count` how many there are.
    """

    total: Tally
    models: Sequence[ModelTally]
    hours: Mapping[datetime, Tally]
    failures: Mapping[str, int]
    phases: Mapping[str, Percentiles | None]
    woken_by: Mapping[str, int]
    orphaned_predictions: int
    orphaned_cost: Decimal
    running: Sequence[str]
    running_count: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job whose prediction has been asked for and whose end is not known yet."""

    job_id: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Health:
    """What is known beside the jobs: how many are queued for the provider, and what the platform tells,
    None where it could not be asked."""

    queued: int
    api: ApiFigures | None
    alarms: Sequence[Alarm] | None


def operations_document(
    window: Window,
    figures: Figures,
    running: Mapping[JobStatus, int],
    oldest: Waiting | None,
    health: Health,
) -> dict[str, Any]:
    """The public document; durations in seconds, money in US dollars."""
    total = figures.total
    wall = total.wall.document() if total.wall else {"p50": None, "p95": None, "p99": None}
    phases = {name: _percentiles(times) for name, times in figures.phases.items()}
    return {
        "since": iso(window.since),
        "until": iso(window.until),
        "jobs": {
            **{status.value: running.get(status, 0) for status in JobStatus if not status.terminal},
            "succeeded": total.succeeded,
            "failed": total.failed,
            "canceled": total.canceled,
        },
        "successRate": total.success_rate,
        "latency": {**wall, "phases": phases},
        "spend": {
            "total": str(plain(total.spend)),
            "estimated": str(plain(total.estimated)),
            "byModel": [_model(each) for each in figures.models],
        },
        "orphaned": {
            "predictions": figures.orphaned_predictions,
            "cost": str(plain(figures.orphaned_cost)),
        },
        "failures": [{"code": code, "jobs": jobs} for code, jobs in figures.failures.items()],
        "wokenBy": dict(figures.woken_by),
        "oldestWaiting": oldest
        and {
            "jobId": oldest.job_id,
            "since": iso(oldest.since),
            "seconds": round((window.until - oldest.since).total_seconds(), 3),
        },
        "queued": health.queued,
        "api": health.api and health.api.document(),
        "alarms": None if health.alarms is None else [alarm.document() for alarm in health.alarms],
        "byHour": [_hour(hour, figures.hours.get(hour, Tally())) for hour in window.hours()],
    }


def _percentiles(times: Percentiles | None) -> dict[str, float] | None:
    return times.document() if times else None


def _model(each: ModelTally) -> dict[str, Any]:
    tally = each.tally
    return {
        "modelId": each.model_id,
        "mediaType": each.media_type,
        "succeeded": tally.succeeded,
        "failed": tally.failed,
        "canceled": tally.canceled,
        "running": tally.running,
        "successRate": tally.success_rate,
        "latency": _percentiles(tally.wall),
        "spend": str(plain(tally.spend)),
        "estimated": str(plain(tally.estimated)),
    }


def _hour(hour: datetime, tally: Tally) -> dict[str, Any]:
    return {
        "hour": iso(hour),
        "succeeded": tally.succeeded,
        "failed": tally.failed,
        "canceled": tally.canceled,
        "spend": str(plain(tally.spend)),
    }
