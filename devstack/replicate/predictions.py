"""Predictions: the record, how Replicate shows it, and the book that holds them all."""

import asyncio
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from devstack.replicate.catalogue import Model
from devstack.replicate.clock import NANOSECONDS, now, rfc3339
from devstack.replicate.faults import (
    FileFault,
    NsfwFilter,
    OutputNull,
    PredictionFails,
    PredictionSlow,
    WebhookFault,
)

Status = Literal["starting", "processing", "succeeded", "failed", "canceled", "aborted"]
TERMINAL: frozenset[Status] = frozenset({"succeeded", "failed", "canceled", "aborted"})
_ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id() -> str:
    """26 characters of [a-z0-9]."""
    return "".join(secrets.choice(_ID_ALPHABET) for _ in range(26))


@dataclass(slots=True)
class BoundFaults:
    """The fault rules that struck this prediction when it was created."""

    fails: PredictionFails | None = None
    slow: PredictionSlow | None = None
    nsfw: NsfwFilter | None = None
    output_null: OutputNull | None = None
    files: list[FileFault] = field(default_factory=list)
    webhooks: list[WebhookFault] = field(default_factory=list)


@dataclass(slots=True)
class Delivery:
    """One attempt to deliver one webhook; `status_code` None when nobody answered, or none was sent."""

    message_id: str
    event: str
    prediction_status: str
    attempt: int
    at: int
    status_code: int | None = None
    error: str | None = None


@dataclass(slots=True)
class Prediction:
    """Times in nanoseconds since 1970. `asked` is the input as it came.

    `outputs_ready` and `end_announced` (the terminal webhook was tried once, or nobody
    asked for it) are set in this order; `webhook_order` keeps its webhooks in theirs.
    """

    id: str
    model: Model
    asked: dict[str, Any]
    base_url: str
    created: int
    webhook: str | None = None
    events: tuple[str, ...] | None = None
    deadline: int | None = None
    status: Status = "starting"
    started: int | None = None
    completed: int | None = None
    output: Any = None
    output_count: int = 0
    error: str | None = None
    logs: str = ""
    data_removed: bool = False
    faults: BoundFaults = field(default_factory=BoundFaults)
    deliveries: list[Delivery] = field(default_factory=list)
    file_keys: list[str] = field(default_factory=list)
    outputs_ready: asyncio.Event = field(default_factory=asyncio.Event)
    end_announced: asyncio.Event = field(default_factory=asyncio.Event)
    webhook_order: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def terminal(self) -> bool:
        return self.status in TERMINAL

    @property
    def predict_time(self) -> float | None:
        """Seconds of work, once it has ended."""
        if self.started is None or self.completed is None:
            return None
        return (self.completed - self.started) / NANOSECONDS

    @property
    def cost(self) -> float:
        """US dollars: failed and aborted predictions are free, canceled ones pay until then."""
        if self.status in {"failed", "aborted", "starting"}:
            return 0.0
        seconds = self.predict_time or 0.0
        if self.status == "processing" and self.started is not None:
            seconds = (now() - self.started) / NANOSECONDS
        filled = self.model.with_defaults(self.asked)
        return self.model.price(filled, self.output_count, seconds)

    def created_view(self) -> dict[str, Any]:
        """The answer to a create request: what is not known yet is absent, not null."""
        return {
            **self._identity(),
            "input": self.asked,
            "logs": "",
            "error": None,
            "status": "starting",
            "created_at": rfc3339(self.created, trim=True),
            **self._deadline(),
            "urls": self._urls(),
            **self._webhook(),
        }

    def synchronous_view(self, output: Any) -> dict[str, Any]:
        """The answer to `Prefer: wait` for a model of files: outputs are there, the end is not."""
        return {
            **self._identity(),
            "input": self.asked,
            "logs": "",
            "output": output,
            "data_removed": False,
            "error": None,
            "status": "processing",
            "created_at": rfc3339(self.created, 3),
            **self._deadline(),
            "urls": self._urls(),
            **self._webhook(),
        }

    def view(self) -> dict[str, Any]:
        """The answer to a get request, and the body of a webhook."""
        digits = 9 if self.model.official else 6
        view: dict[str, Any] = {
            **self._identity(),
            "input": self.asked,
            "logs": self.logs,
            "output": self.output,
            "data_removed": self.data_removed,
            "error": self.error,
            "source": "api",
            "status": self.status,
            "created_at": rfc3339(
                self.created, 3 if self.terminal else digits, trim=not self.terminal
            ),
            **self._deadline(),
            "urls": self._urls(),
            **self._webhook(),
        }
        if self.started is not None:
            view["started_at"] = rfc3339(self.started, digits, trim=True)
        if self.completed is not None:
            view["completed_at"] = rfc3339(self.completed, digits)
            view["metrics"] = self._metrics(self.completed)
        if self.data_removed:
            view |= {"input": {}, "logs": ""}
        return view

    def canceled_view(self) -> dict[str, Any]:
        """The answer to a cancel request: older keys, and null for logs nobody wrote."""
        return {**self.view(), "logs": self.logs or None, "webhook_completed": None}

    def _identity(self) -> dict[str, Any]:
        version = "hidden" if self.model.official else self.model.version
        return {"id": self.id, "model": self.model.reference, "version": version}

    def _urls(self) -> dict[str, str]:
        get = f"{self.base_url}/v1/predictions/{self.id}"
        return {
            "cancel": f"{get}/cancel",
            "get": get,
            "stream": f"{self.base_url}/v1/streams/{self.id}",
            "web": f"{self.base_url}/p/{self.id}",
        }

    def _webhook(self) -> dict[str, Any]:
        echo: dict[str, Any] = {}
        if self.webhook is not None:
            echo["webhook"] = self.webhook
        if self.events is not None:
            echo["webhook_events_filter"] = list(self.events)
        return echo

    def _deadline(self) -> dict[str, str]:
        return {} if self.deadline is None else {"deadline": rfc3339(self.deadline, 3)}

    def _metrics(self, completed: int) -> dict[str, Any]:
        metrics: dict[str, Any] = {}
        if self.model.reference.startswith("black-forest-labs/") and self.output_count:
            metrics["image_count"] = self.output_count
        if self.predict_time is not None:
            metrics["predict_time"] = self.predict_time
        return metrics | {"total_time": (completed - self.created) / NANOSECONDS}


class PredictionBook:
    """Every prediction since the last reset, in order of creation."""

    def __init__(self) -> None:
        self._by_id: dict[str, Prediction] = {}

    def add(self, prediction: Prediction) -> None:
        self._by_id[prediction.id] = prediction

    def get(self, prediction_id: str) -> Prediction | None:
        return self._by_id.get(prediction_id)

    def __iter__(self) -> Iterator[Prediction]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def clear(self) -> None:
        self._by_id.clear()

    def newest_first(self, after: int | None, before: int | None) -> list[Prediction]:
        """Created at or after `after`, before `before` (nanoseconds)."""
        return [
            prediction
            for prediction in reversed(self._by_id.values())
            if (after is None or prediction.created >= after)
            and (before is None or prediction.created < before)
        ]


def events_of(prediction: Prediction) -> frozenset[str]:
    """The events its webhook gets; without a filter: new outputs and the end."""
    return frozenset(
        prediction.events if prediction.events is not None else ("output", "completed")
    )


def summary(prediction: Prediction) -> Mapping[str, Any]:
    """The prediction as the control API tells of it."""
    cost = prediction.cost
    return {
        "id": prediction.id,
        "model": prediction.model.reference,
        "version": prediction.model.version,
        "input": prediction.asked,
        "webhook": prediction.webhook,
        "webhook_events_filter": prediction.events,
        "status": prediction.status,
        "error": prediction.error,
        "output": prediction.output,
        "created_at": rfc3339(prediction.created, 6),
        "started_at": None if prediction.started is None else rfc3339(prediction.started, 6),
        "completed_at": None if prediction.completed is None else rfc3339(prediction.completed, 6),
        "deadline": None if prediction.deadline is None else rfc3339(prediction.deadline, 6),
        "predict_time": prediction.predict_time,
        "data_removed": prediction.data_removed,
        "cost_usd": round(cost, 6),
        "billed": cost > 0,
        "deliveries": [
            {
                "message_id": delivery.message_id,
                "event": delivery.event,
                "prediction_status": delivery.prediction_status,
                "attempt": delivery.attempt,
                "at": rfc3339(delivery.at, 6),
                "status_code": delivery.status_code,
                "error": delivery.error,
            }
            for delivery in prediction.deliveries
        ],
    }
