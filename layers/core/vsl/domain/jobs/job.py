"""The job: what was asked, what it will cost, where it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Any, Final, NotRequired, Self, TypedDict

from vsl.domain.jobs.idempotency import CLAIM_SECONDS
from vsl.domain.jobs.terms import PriceTerms, ProviderCall
from vsl.domain.predictions.output import OutputKind
from vsl.domain.predictions.provider_values import clean_text
from vsl.domain.times import iso as iso  # noqa: PLC0414 - handed on to those who write jobs


class MediaType(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    TEXT = "text"
    FILE = "file"


INPUT_MEDIA = frozenset({MediaType.IMAGE, MediaType.VIDEO, MediaType.AUDIO})
"""What can be looked into, and what an upload may be."""


class Priority(StrEnum):
    """Which of a user's jobs go first when they wait for the provider."""

    INTERACTIVE = "interactive"
    BATCH = "batch"


class CallbackEvent(StrEnum):
    """What a client may be called for."""

    STARTED = "started"
    ENDED = "ended"


THE_END_ALONE: Final = (CallbackEvent.ENDED,)


class JobStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    STORING = "storing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def terminal(self) -> bool:
        return self in TERMINAL


# Of any model. Below the static ceiling of the state that waits for a prediction (a test compares them).
MAX_TIMEOUT_SECONDS: Final = 2400
# What submission and its retries may take before the model's own time limit begins to run.
SUBMISSION_SLACK = timedelta(minutes=5)
# The integers of PostgreSQL; and a length or a rate beyond it is a damaged header's.
_MOST_PIXELS = 2**31 - 1
_MOST_SECONDS = 1e8
TERMINAL = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELED})


class JobDocument(TypedDict):
    """A job as it travels through the state machines, under `$.job`."""

    jobId: str
    userId: str
    mediaType: str
    modelId: str
    parameters: Mapping[str, Any]
    estimatedTime: float
    estimatedCost: str | None
    timeoutSeconds: int
    createdAt: str
    reruns: NotRequired[int]
    callbackUrl: NotRequired[str]
    priority: NotRequired[str]
    weight: NotRequired[int]
    metadata: NotRequired[Mapping[str, str]]
    callbackEvents: NotRequired[Sequence[str]]
    output: NotRequired[str]
    price: NotRequired[Mapping[str, Any]]
    call: NotRequired[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Job:
    """One accepted request. `parameters` are validated, under their public names, defaults filled in.

    `estimated_time` and `timeout_seconds` in seconds, `estimated_cost` in US dollars, None for an
    unpriced model: nothing is held for it, and what it costs stays unknown. `reruns` is
    how often a prediction that the provider's platform broke off is submitted again, `callback_url`
    where the client hears of `callback_events`, `metadata` the client's own words about the job.
    `price` and `call` are what the catalogue said on the day it was accepted; None for a job that was
    accepted before jobs carried them, `price` also for an unpriced model, and `call` also where the job
    comes out of a store, which is never submitted from. `weight` is the user's share of the slots at
    the provider when the job was created, `output` how the model's answer is read.
    """

    job_id: str
    user_id: str
    media_type: MediaType
    model_id: str
    parameters: Mapping[str, Any]
    estimated_time: float
    estimated_cost: Decimal | None
    timeout_seconds: int
    created_at: datetime
    reruns: int = 1
    callback_url: str | None = field(default=None, repr=False)
    callback_events: tuple[CallbackEvent, ...] = THE_END_ALONE
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)
    priority: Priority = Priority.INTERACTIVE
    weight: int = 1
    output: OutputKind = OutputKind.FILES
    price: PriceTerms | None = None
    call: ProviderCall | None = field(default=None, repr=False)

    def calls_for(self, event: CallbackEvent) -> bool:
        return self.callback_url is not None and event in self.callback_events

    @property
    def deadline(self) -> datetime:
        return deadline(self.created_at, self.timeout_seconds)

    @property
    def hold(self) -> Decimal:
        """The most that the job may cost its user, to the micro-dollar: held before it is paid for."""
        times = self.price.hold if self.price else Decimal(1)
        return ((self.estimated_cost or Decimal(0)) * times).quantize(
            Decimal("0.000001"), ROUND_CEILING
        )

    @property
    def start_by(self) -> datetime:
        """An execution that begins later leaves the model less than its time limit."""
        return self.created_at + SUBMISSION_SLACK

    @property
    def first_check(self) -> datetime:
        """When the poller looks whether the job was started at all: no request that could still start
        it is on its way by then."""
        return min(self.start_by + timedelta(seconds=CLAIM_SECONDS), self.deadline)

    def document(self) -> JobDocument:
        document: JobDocument = {
            "jobId": self.job_id,
            "userId": self.user_id,
            "mediaType": self.media_type.value,
            "modelId": self.model_id,
            "parameters": dict(self.parameters),
            "estimatedTime": self.estimated_time,
            "estimatedCost": optional_text(self.estimated_cost),
            "timeoutSeconds": self.timeout_seconds,
            "createdAt": iso(self.created_at),
            "reruns": self.reruns,
        }
        if self.callback_url is not None:
            document["callbackUrl"] = self.callback_url
        if self.callback_events != THE_END_ALONE:
            document["callbackEvents"] = [event.value for event in self.callback_events]
        if self.metadata:
            document["metadata"] = dict(self.metadata)
        if self.priority is not Priority.INTERACTIVE:
            document["priority"] = self.priority.value
        if self.weight != 1:
            document["weight"] = self.weight
        if self.output is not OutputKind.FILES:
            document["output"] = self.output.value
        if self.price is not None:
            document["price"] = self.price.document()
        if self.call is not None:
            document["call"] = self.call.document()
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            job_id=document["jobId"],
            user_id=document["userId"],
            media_type=MediaType(document["mediaType"]),
            model_id=document["modelId"],
            parameters=document["parameters"],
            estimated_time=float(document["estimatedTime"]),
            estimated_cost=optional_dollars(document["estimatedCost"]),
            timeout_seconds=int(document["timeoutSeconds"]),
            created_at=datetime.fromisoformat(document["createdAt"]),
            reruns=int(document.get("reruns", 1)),
            callback_url=document.get("callbackUrl"),
            callback_events=callback_events(document),
            metadata=document.get("metadata") or {},
            priority=Priority(document.get("priority", Priority.INTERACTIVE)),
            weight=int(document.get("weight", 1)),
            output=OutputKind(document.get("output", OutputKind.FILES)),
            price=PriceTerms.from_document(document.get("price")),
            call=ProviderCall.from_document(document.get("call")),
        )


class AssetDocument(TypedDict):
    """A stored file as steps and stores pass it on; units as in MediaAsset."""

    index: int
    s3Key: str
    contentType: str
    fileSize: int
    sha256: str
    thumbnailKey: str | None
    width: int | None
    height: int | None
    duration: float | None
    fps: float | None
    codec: str | None


@dataclass(frozen=True, slots=True)
class MediaAsset:
    """One stored output file. Sizes in bytes, `duration` in seconds, `width`/`height` in pixels.

    Whatever could not be measured is None, and so is a measurement that no file can have and no
    database holds; the file is delivered all the same.
    """

    index: int
    s3_key: str
    content_type: str
    file_size: int
    sha256: str
    thumbnail_key: str | None = None
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    fps: float | None = None
    codec: str | None = None

    def __post_init__(self) -> None:
        plausible = {
            "width": _pixels(self.width),
            "height": _pixels(self.height),
            "duration": _measure(self.duration),
            "fps": _measure(self.fps),
            "codec": clean_text(self.codec or "") or None,
        }
        for name, value in plausible.items():
            object.__setattr__(self, name, value)

    def document(self) -> AssetDocument:
        return {
            "index": self.index,
            "s3Key": self.s3_key,
            "contentType": self.content_type,
            "fileSize": self.file_size,
            "sha256": self.sha256,
            "thumbnailKey": self.thumbnail_key,
            "width": self.width,
            "height": self.height,
            "duration": self.duration,
            "fps": self.fps,
            "codec": self.codec,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            index=int(document["index"]),
            s3_key=document["s3Key"],
            content_type=document["contentType"],
            file_size=int(document["fileSize"]),
            sha256=document["sha256"],
            thumbnail_key=document.get("thumbnailKey"),
            width=document.get("width"),
            height=document.get("height"),
            duration=document.get("duration"),
            fps=document.get("fps"),
            codec=document.get("codec"),
        )


@dataclass(frozen=True, slots=True)
class JobEvent:
    """One mark on a job's timeline; (job, name) is unique, so writing it twice is harmless.

    `name` is a phase such as `created`, `submitted`, `outcome_recorded`, `stored`, `succeeded`;
    `source` says who acted: `workflow`, `webhook`, `poller`, `timeout`, `user`.
    """

    name: str
    at: datetime
    source: str = "workflow"
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WebhookReceipt:
    """One accepted webhook delivery; `webhook_id` is the provider's id of the message."""

    webhook_id: str
    replicate_id: str
    prediction_status: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class OrphanedPrediction:
    """A prediction its job had no use for: paid, or stopped before it cost more.

    `cost` in US dollars, None while or where it cannot be known. `ended`: its end has been seen and
    booked, so that it is not looked at again.
    """

    replicate_id: str
    found_at: datetime
    source: str
    cost: Decimal | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class FinishedJob:
    """Everything the accounting needs once a job has ended, well or badly.

    `actual_cost` in US dollars (None when it cannot be known), `predict_time` and `total_time`
    in seconds as the provider reports them, `logs` the end of the model's log. `settled`: the job's
    own prediction has ended, or there never was one. `error_detail`: what the provider said of the error.
    """

    job: Job
    status: JobStatus
    completed_at: datetime
    replicate_id: str | None = None
    attempt: int = 0
    assets: tuple[MediaAsset, ...] = ()
    error_code: str | None = None
    error_message: str | None = None
    error_detail: str | None = None
    actual_cost: Decimal | None = None
    predict_time: float | None = None
    total_time: float | None = None
    logs: str | None = field(default=None, repr=False)
    events: tuple[JobEvent, ...] = ()
    webhooks: tuple[WebhookReceipt, ...] = ()
    orphans: tuple[OrphanedPrediction, ...] = ()
    settled: bool = True


def callback_events(document: Mapping[str, Any]) -> tuple[CallbackEvent, ...]:
    """What stands in a job's document or item; without it the end alone."""
    return tuple(map(CallbackEvent, document.get("callbackEvents", THE_END_ALONE)))


def deadline(created_at: datetime, timeout_seconds: int) -> datetime:
    """When a job that has not ended is ended by the poller."""
    return created_at + timedelta(seconds=timeout_seconds) + SUBMISSION_SLACK


def optional_text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def optional_dollars(amount: object) -> Decimal | None:
    return None if amount is None else Decimal(str(amount))


def _pixels(value: object) -> int | None:
    measured = _measure(value, _MOST_PIXELS)
    return int(measured) if measured is not None and measured >= 1 else None


def _measure(value: object, most: float = _MOST_SECONDS) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= most else None
