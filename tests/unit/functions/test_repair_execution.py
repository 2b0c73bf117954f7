"""The repair's hourly run: jobs that PostgreSQL alone knows, then alerts that were not published."""

import json
from typing import Any

import pytest

from functions.repair_execution import app
from tests.support.lambda_context import Context
from tests.support.template import resource
from vsl.domain.errors import StoreUnavailable


def run_hourly() -> Any:
    """With the event that the schedule sends."""
    schedule = resource("RepairExecutionFunction")["Properties"]["Events"]["Forgotten"]
    return app.handler(json.loads(schedule["Properties"]["Input"]), Context())


def test_the_hourly_run_publishes_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "end_forgotten", lambda: lambda: {"recorded": 1})
    monkeypatch.setattr(app, "publish_alerts", lambda: lambda: 2)
    assert run_hourly() == {"recorded": 1, "alerts": 2}


def test_an_eventbridge_that_is_away_stops_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda repeats the run."""
    ended: list[str] = []

    def end() -> dict[str, int]:
        ended.append("job")
        return {}

    def publish() -> int:
        raise StoreUnavailable("EventBridge is away.", service="EventBridge")

    monkeypatch.setattr(app, "end_forgotten", lambda: end)
    monkeypatch.setattr(app, "publish_alerts", lambda: publish)
    with pytest.raises(Exception, match="EventBridge is away"):
        run_hourly()
    assert ended == ["job"]
