"""DeliverCallback's batch: a message that cannot be worked on stops no other."""

import json
from typing import Any

import pytest

from functions.deliver_callback import app
from tests.support.fakes import RecordingMetrics
from tests.support.lambda_context import Context
from vsl.domain.callbacks.callback import CallbackOutcome
from vsl.domain.errors import ConfigurationError


def record(name: str, body: object) -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    return {
        "messageId": name,
        "receiptHandle": f"receipt of {name}",
        "body": text,
        "attributes": {"ApproximateReceiveCount": "2"},
    }


class Queue:
    def __init__(self) -> None:
        self.postponed: list[str] = []

    def postpone(self, receipt: str, _seconds: int) -> None:
        self.postponed.append(receipt)


def test_one_message_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    queue, metrics, called = Queue(), RecordingMetrics(), []

    def deliver(message: Any) -> CallbackOutcome:
        called.append(message.job_id)
        if message.job_id == "trips":
            raise KeyError("unforeseen")
        if message.job_id == "no secret":
            raise ConfigurationError("callback-signing-secret is missing.")
        return CallbackOutcome.FAILED if message.job_id == "away" else CallbackOutcome.DELIVERED

    monkeypatch.setattr(app, "deliver_callback", lambda: deliver)
    monkeypatch.setattr(app, "event_publisher", lambda: queue)
    monkeypatch.setattr(app, "metrics", metrics)
    names = ("trips", "no secret", "away", "good")
    records = [
        record("torn", '{"jobId": '),
        record("empty", {}),
        record("no object", []),
        *(record(name, {"jobId": name}) for name in names),
    ]
    answer = app.handler({"Records": records}, Context())
    failed = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
    assert failed == ["torn", "empty", "no object", "trips", "no secret", "away"]
    assert called == list(names)
    assert metrics.names() == ["ItemFailed"] * 4
    assert queue.postponed == [f"receipt of {name}" for name in ("trips", "no secret", "away")]
