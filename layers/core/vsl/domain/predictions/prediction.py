"""A Replicate prediction, read leniently, and the outcome we keep of it.

Field rules: https://replicate.com/docs/reference/http and what its API answers in practice: only
`id` and `status` can be relied upon; times carry two to nine fractional digits; `output` may be
absent, null, a string, a list or an object; `aborted` joined the terminal statuses in 2025.
Webhooks and the answers to create, get, list and cancel are all read by `Prediction.parse`, so that
no value of any of them can stop the end of a job.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self, TypedDict

from vsl.domain.predictions.output import OutputKind, output_addresses
from vsl.domain.predictions.provider_logs import log_tail
from vsl.domain.predictions.provider_values import (
    seconds_of,
    text_of,
    texts_in,
    time_of,
)
from vsl.domain.times import iso

MAX_OUTPUTS = 100
"""Output files of one prediction: more do not fit the documents that travel with a job."""

_MAX_ERROR = 2000
_ID = re.compile("[A-Za-z0-9_-]{1,100}")
_MEASURED = ("predict_time", "total_time")
_TIMES = ("created_at", "started_at", "completed_at")


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
    """`metrics` in seconds, plausible ones only; `output` as the provider sent it; `implausible`
    tells the log what was left out.
    """

    id: str
    status: PredictionStatus
    output: Any = None
    error: str | None = None
    logs: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    webhook: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    data_removed: bool = False
    implausible: tuple[str, ...] = ()
    model: str | None = None
    version: str | None = None
    deployment: str | None = None
    input: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, body: object) -> Self:
        """Raises ValueError when it is no object, or has no `id` or `status`.

        A status that is not known here is not terminal as far as we know: the prediction goes on
        being watched, and is canceled at its deadline.
        """
        if not isinstance(body, Mapping):
            raise ValueError("no JSON object")  # noqa: TRY004 - the caller's one way to hear of it
        identifier, status = body.get("id"), body.get("status")
        if not isinstance(identifier, str) or not _ID.fullmatch(identifier):
            raise ValueError("a prediction without an id")
        if not isinstance(status, str):
            raise ValueError("a prediction without a status")  # noqa: TRY004
        given = body.get("metrics")
        measures = given if isinstance(given, Mapping) else {}
        metrics = {name: seconds_of(measures.get(name)) for name in _MEASURED}
        times = {name: time_of(body.get(name)) for name in _TIMES}
        return cls(
            id=identifier,
            status=_status(status),
            output=body.get("output"),
            error=text_of(body.get("error")),
            logs="\n".join(texts_in(body.get("logs"))),
            metrics={name: value for name, value in metrics.items() if value is not None},
            webhook=_text(body.get("webhook")),
            **times,
            data_removed=body.get("data_removed") is True,
            implausible=(*_left_out(measures, metrics), *_left_out(body, times)),
            model=_text(body.get("model")),
            version=_text(body.get("version")),
            deployment=_text(body.get("deployment")),
            input=asked if isinstance(asked := body.get("input"), Mapping) else {},
        )


class OutcomeDocument(TypedDict):
    """What a task token is answered with; times in seconds, moments as ISO 8601."""

    replicateId: str
    status: str
    source: str
    output: list[str]
    error: str | None
    predictTime: float | None
    totalTime: float | None
    startedAt: str | None
    completedAt: str | None
    outputCount: int | None
    dataRemoved: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a prediction ended: what the waiting job is woken with, and kept in its item.

    `source` says who found out first: `webhook`, `poller`, `timeout` or `submission`.
    `output` holds the addresses (https or data URLs) of the files of a prediction that succeeded, in
    order, or one reference to where they are kept (`large_outputs`); `output_count` is how many
    there were, None when it is not known. `logs` is the end of the model's log, which stays out of
    the document: Step Functions has no use for it.
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
    def of(cls, prediction: Prediction, source: str, kind: OutputKind = OutputKind.FILES) -> Self:
        """`kind` is that of its job. Raises ValueError for a prediction that has not ended."""
        if not prediction.status.terminal:
            raise ValueError(f"prediction {prediction.id} is still {prediction.status}")
        urls = tuple(output_addresses(prediction.output, kind))
        succeeded = prediction.status is PredictionStatus.SUCCEEDED
        return cls(
            replicate_id=prediction.id,
            status=prediction.status,
            source=source,
            output=urls[:MAX_OUTPUTS] if succeeded else (),
            error=prediction.error and prediction.error[:_MAX_ERROR],
            predict_time=prediction.metrics.get("predict_time"),
            total_time=prediction.metrics.get("total_time"),
            started_at=_iso(prediction.started_at),
            completed_at=_iso(prediction.completed_at),
            output_count=len(urls),
            data_removed=prediction.data_removed,
            logs=log_tail(prediction.logs),
        )

    def document(self) -> OutcomeDocument:
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
            error=text_of(document.get("error")),
            # Documents of an older version may hold what would not be taken today.
            predict_time=seconds_of(document.get("predictTime")),
            total_time=seconds_of(document.get("totalTime")),
            started_at=_iso(time_of(document.get("startedAt"))),
            completed_at=_iso(time_of(document.get("completedAt"))),
            output_count=None
            if document.get("outputCount") is None
            else int(document["outputCount"]),
            data_removed=bool(document.get("dataRemoved")),
        )


def _status(text: str) -> PredictionStatus:
    return PredictionStatus(text) if text in PredictionStatus else PredictionStatus.PROCESSING


def _left_out(given: Mapping[str, Any], taken: Mapping[str, Any]) -> Iterator[str]:
    for name, value in taken.items():
        if value is None and (found := given.get(name)) is not None:
            yield f"{name} {f'{found:.6g}' if isinstance(found, float) else type(found).__name__}"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _iso(at: datetime | None) -> str | None:
    return None if at is None else iso(at)
