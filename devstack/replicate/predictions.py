"""Predictions: the record, and how Replicate shows it."""

import asyncio
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from devstack.replicate.clock import NANOSECONDS, now, rfc3339
from devstack.replicate.faults import OddAnswer, Rule, first
from devstack.replicate.model import Model

Status = Literal["starting", "processing", "succeeded", "failed", "canceled", "aborted"]
TERMINAL: frozenset[Status] = frozenset({"succeeded", "failed", "canceled", "aborted"})
_NOT_LISTED = frozenset({"webhook", "webhook_events_filter", "logs", "deadline"})
_ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id() -> str:
    """26 characters of [a-z0-9]."""
    return "".join(secrets.choice(_ID_ALPHABET) for _ in range(26))


@dataclass(slots=True)
class Delivery:
    """One attempt to deliver one webhook; `status_code` None without an answer, or when none was sent."""

    message_id: str
    event: str
    prediction_status: str
    attempt: int
    at: int
    status_code: int | None = None
    error: str | None = None


@dataclass(slots=True)
class Prediction:
    """Times in nanoseconds since 1970. `asked` is the input as it came, `faults` the rules that struck.

    `outputs_ready` and `end_announced` (the terminal webhook was tried once, or none was
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
    deployment: str | None = None
    status: Status = "starting"
    started: int | None = None
    completed: int | None = None
    output: Any = None
    output_count: int = 0
    error: str | None = None
    logs: str = ""
    data_removed: bool = False
    faults: tuple[Rule, ...] = ()
    deliveries: list[Delivery] = field(default_factory=list)
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
        return self._view("starting", rfc3339(self.created, trim=True))

    def synchronous_view(self, output: Any) -> dict[str, Any]:
        """The answer to `Prefer: wait` for a model of files: outputs are there, the end is not."""
        created = rfc3339(self.created, 3)
        return self._view("processing", created, output=output, data_removed=False)

    def view(self) -> dict[str, Any]:
        """The answer to a get request, and the body of a webhook."""
        digits = 9 if self.model.official else 6
        created = rfc3339(self.created, 3 if self.terminal else digits, trim=not self.terminal)
        more = {name: getattr(self, name) for name in ("logs", "output", "data_removed", "error")}
        view = self._view(self.status, created, source="api", **more)
        if self.started is not None:
            view["started_at"] = rfc3339(self.started, digits, trim=True)
        if self.completed is not None:
            view["completed_at"] = rfc3339(self.completed, digits)
            view["metrics"] = self._metrics(self.completed)
        return view | {"input": {}, "logs": ""} if self.data_removed else view

    def encoded(self, view: dict[str, Any]) -> bytes:
        """A view of it as it goes out."""
        odd = first(self.faults, OddAnswer)
        if odd is None or not self.terminal:
            return json.dumps(view, ensure_ascii=False, separators=(",", ":")).encode()
        replaced = json.loads(odd.fields)
        kept = {name: value for name, value in view.items() if name not in replaced}
        return f"{json.dumps(kept)[:-1]}, {odd.fields.strip()[1:]}".encode()

    def listed_view(self, *, webhook: bool) -> dict[str, Any]:
        """An entry of the list: the documented one has no webhook, no log and no deadline."""
        entry = {name: value for name, value in self.view().items() if name not in _NOT_LISTED}
        return {**entry, **self._webhook()} if webhook else entry

    def canceled_view(self) -> dict[str, Any]:
        """The answer to a cancel request: older keys, and null for empty logs."""
        return {**self.view(), "logs": self.logs or None, "webhook_completed": None}

    def _view(self, status: Status, created: str, **more: Any) -> dict[str, Any]:
        get = f"{self.base_url}/v1/predictions/{self.id}"
        return {
            "id": self.id,
            "model": self.model.reference,
            "version": "hidden" if self.model.official else self.model.version,
            **({} if self.deployment is None else {"deployment": self.deployment}),
            "input": self.asked,
            "logs": "",
            "error": None,
            "status": status,
            "created_at": created,
            **({} if self.deadline is None else {"deadline": rfc3339(self.deadline, 3)}),
            "urls": {
                "cancel": f"{get}/cancel",
                "get": get,
                "stream": f"{self.base_url}/v1/streams/{self.id}",
                "web": f"{self.base_url}/p/{self.id}",
            },
            **self._webhook(),
            **more,
        }

    def _webhook(self) -> dict[str, Any]:
        events = None if self.events is None else list(self.events)
        echo = {"webhook": self.webhook, "webhook_events_filter": events}
        return {name: value for name, value in echo.items() if value is not None}

    def _metrics(self, completed: int) -> dict[str, Any]:
        metrics: dict[str, Any] = {}
        if self.model.reference.startswith("black-forest-labs/") and self.output_count:
            metrics["image_count"] = self.output_count
        if self.predict_time is not None:
            metrics["predict_time"] = self.predict_time
        return metrics | {"total_time": (completed - self.created) / NANOSECONDS}


def summary(prediction: Prediction) -> Mapping[str, Any]:
    """The prediction as the control API tells of it."""

    def at(time: int | None) -> str | None:
        return None if time is None else rfc3339(time, 6)

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
        "created_at": at(prediction.created),
        "started_at": at(prediction.started),
        "completed_at": at(prediction.completed),
        "deadline": at(prediction.deadline),
        "predict_time": prediction.predict_time,
        "data_removed": prediction.data_removed,
        "cost_usd": round(prediction.cost, 6),
        "billed": prediction.cost > 0,
        "deliveries": [asdict(each) | {"at": at(each.at)} for each in prediction.deliveries],
    }
