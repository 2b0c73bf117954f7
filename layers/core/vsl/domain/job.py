"""The job: what was asked, what it will cost, where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self


class MediaType(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"


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


# What submission and its retries may take before the model's own time limit begins to run.
SUBMISSION_SLACK = timedelta(minutes=5)
TERMINAL = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELED})


@dataclass(frozen=True, slots=True)
class Job:
    """One accepted request. `parameters` are validated, under their public names, defaults filled in.

    `estimated_time` and `timeout_seconds` in seconds, `estimated_cost` in US dollars. `reruns` is
    how often a prediction that the provider's platform broke off is submitted again, `callback_url`
    where the client hears of the end.
    """

    job_id: str
    user_id: str
    media_type: MediaType
    model_id: str
    parameters: Mapping[str, Any]
    estimated_time: float
    estimated_cost: Decimal
    timeout_seconds: int
    created_at: datetime
    reruns: int = 1
    callback_url: str | None = field(default=None, repr=False)

    @property
    def deadline(self) -> datetime:
        return deadline(self.created_at, self.timeout_seconds)

    def document(self) -> dict[str, Any]:
        """The job as it travels through the state machine under `$.job`."""
        document = {
            "jobId": self.job_id,
            "userId": self.user_id,
            "mediaType": self.media_type.value,
            "modelId": self.model_id,
            "parameters": dict(self.parameters),
            "estimatedTime": self.estimated_time,
            "estimatedCost": str(self.estimated_cost),
            "timeoutSeconds": self.timeout_seconds,
            "createdAt": iso(self.created_at),
            "reruns": self.reruns,
        }
        return document | ({"callbackUrl": self.callback_url} if self.callback_url else {})

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            job_id=document["jobId"],
            user_id=document["userId"],
            media_type=MediaType(document["mediaType"]),
            model_id=document["modelId"],
            parameters=document["parameters"],
            estimated_time=float(document["estimatedTime"]),
            estimated_cost=Decimal(str(document["estimatedCost"])),
            timeout_seconds=int(document["timeoutSeconds"]),
            created_at=datetime.fromisoformat(document["createdAt"]),
            reruns=int(document.get("reruns", 1)),
            callback_url=document.get("callbackUrl"),
        )


@dataclass(frozen=True, slots=True)
class MediaAsset:
    """One stored output file. Sizes in bytes, `duration` in seconds, `width`/`height` in pixels.

    Whatever could not be measured is None; the file is delivered all the same.
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

    def document(self) -> dict[str, Any]:
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
            width=_integer(document.get("width")),
            height=_integer(document.get("height")),
            duration=_number(document.get("duration")),
            fps=_number(document.get("fps")),
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
class Waste:
    """A prediction its job had no use for: paid, or stopped before it cost more.

    `cost` in US dollars, None while or where it cannot be known. `ended`: its end has been seen and
    booked, so that nobody need look at it again.
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
    in seconds as the provider reports them, `logs` the end of the model's log.
    """

    job: Job
    status: JobStatus
    completed_at: datetime
    replicate_id: str | None = None
    attempt: int = 0
    assets: tuple[MediaAsset, ...] = ()
    error_code: str | None = None
    error_message: str | None = None
    actual_cost: Decimal | None = None
    predict_time: float | None = None
    total_time: float | None = None
    logs: str | None = field(default=None, repr=False)
    events: tuple[JobEvent, ...] = ()
    webhooks: tuple[WebhookReceipt, ...] = ()
    waste: tuple[Waste, ...] = ()


def deadline(created_at: datetime, timeout_seconds: int) -> datetime:
    """When somebody sees to the end of a job that has not ended by itself."""
    return created_at + timedelta(seconds=timeout_seconds) + SUBMISSION_SLACK


def iso(at: datetime) -> str:
    """UTC, milliseconds, `Z`: the one way a time is written for others to read."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _integer(value: object) -> int | None:
    return None if value is None else int(str(value))


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))
