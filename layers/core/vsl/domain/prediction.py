"""A Replicate prediction, read leniently, and the outcome we keep of it.

Field rules: https://replicate.com/docs/reference/http and what its API answers in practice: only
`id` and `status` can be relied upon; times carry two to nine fractional digits; `output` may be
absent, null, a string, a list or an object; `aborted` joined the terminal statuses in 2025.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from vsl.domain.provider_logs import log_tail


class PredictionStatus(StrEnum):
    STARTING = "starting"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    ABORTED = "aborted"

    @property
    def terminal(self) -> bool:
        return self not in {PredictionStatus.STARTING, PredictionStatus.PROCESSING}


@dataclass(frozen=True, slots=True)
class Prediction:
    """`predict_time` and `total_time` in seconds; `output` as the provider sent it."""

    id: str
    status: PredictionStatus
    output: Any = None
    error: str | None = None
    logs: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    webhook: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    data_removed: bool = False

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """Raises ValueError when `id` or `status` is missing or unknown."""
        identifier, status = body.get("id"), body.get("status")
        if not isinstance(identifier, str) or not identifier:
            raise ValueError("a prediction without an id")
        metrics = body.get("metrics")
        return cls(
            id=identifier,
            status=PredictionStatus(str(status)),
            output=body.get("output"),
            error=None if body.get("error") is None else str(body["error"]),
            logs=str(body.get("logs") or ""),
            metrics=metrics if isinstance(metrics, Mapping) else {},
            webhook=body.get("webhook") if isinstance(body.get("webhook"), str) else None,
            created_at=_time(body.get("created_at")),
            started_at=_time(body.get("started_at")),
            completed_at=_time(body.get("completed_at")),
            data_removed=bool(body.get("data_removed")),
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a prediction ended: what the waiting job is woken with, and kept in its item.

    `source` says who found out first: `webhook`, `poller`, `timeout` or `submission`.
    `output` holds the addresses (https or data URLs) of the output files, in order; `logs` the end
    of the model's log, which stays out of the document: Step Functions has no use for it.
    """

    replicate_id: str
    status: PredictionStatus
    source: str
    output: tuple[str, ...] = ()
    error: str | None = None
    predict_time: float | None = None
    total_time: float | None = None
    started_at: str | None = None
    completed_at: str | None = None
    output_count: int | None = None
    data_removed: bool = False
    logs: str = field(default="", repr=False)

    @classmethod
    def of(cls, prediction: Prediction, source: str) -> Self:
        """Raises ValueError for a prediction that has not ended."""
        if not prediction.status.terminal:
            raise ValueError(f"prediction {prediction.id} is still {prediction.status}")
        urls = tuple(output_urls(prediction.output))
        return cls(
            replicate_id=prediction.id,
            status=prediction.status,
            source=source,
            output=urls,
            error=prediction.error and prediction.error[:2000],
            predict_time=_seconds(prediction.metrics.get("predict_time")),
            total_time=_seconds(prediction.metrics.get("total_time")),
            started_at=_iso(prediction.started_at),
            completed_at=_iso(prediction.completed_at),
            output_count=len(urls),
            data_removed=prediction.data_removed,
            logs=log_tail(prediction.logs),
        )

    def document(self) -> dict[str, Any]:
        return {
            "replicateId": self.replicate_id,
            "status": self.status.value,
            "source": self.source,
            "output": list(self.output),
            "error": self.error,
            "predictTime": self.predict_time,
            "totalTime": self.total_time,
            "startedAt": self.started_at,
            "completedAt": self.completed_at,
            "outputCount": self.output_count,
            "dataRemoved": self.data_removed,
        }

    def summary(self) -> dict[str, Any]:
        """What the timeline keeps of it: the status and the provider's own times."""
        known = {
            "status": self.status.value,
            "startedAt": self.started_at,
            "completedAt": self.completed_at,
            "predictTime": self.predict_time,
        }
        return {name: value for name, value in known.items() if value is not None}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            replicate_id=document["replicateId"],
            status=PredictionStatus(document["status"]),
            source=document["source"],
            output=tuple(document.get("output") or ()),
            error=document.get("error"),
            predict_time=_seconds(document.get("predictTime")),
            total_time=_seconds(document.get("totalTime")),
            started_at=document.get("startedAt"),
            completed_at=document.get("completedAt"),
            output_count=None
            if document.get("outputCount") is None
            else int(document["outputCount"]),
            data_removed=bool(document.get("dataRemoved")),
        )


def output_urls(output: object) -> Iterator[str]:
    """Every file address in an output of any shape: string, list or object, nested or not.

    Strings that are no address (the text output of a language model) and nulls are passed over.
    """
    if isinstance(output, str):
        if output.startswith(("https://", "http://", "data:")):
            yield output
    elif isinstance(output, Mapping):
        for value in output.values():
            yield from output_urls(value)
    elif isinstance(output, list | tuple):
        for value in output:
            yield from output_urls(value)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _seconds(value: object) -> float | None:
    try:
        return None if value is None else float(str(value))
    except ValueError:
        return None
