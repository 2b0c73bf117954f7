"""The poller's function: one run at a time, and what is left goes to another at once."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from functions.poll_predictions import app
from tests.support.template import resource
from vsl.domain.errors import StoreUnavailable
from vsl.runtime import wiring
from vsl.runtime.lone_run import MOST_RUNS, RESERVE
from vsl.runtime.settings import settings
from vsl.runtime.use_cases import waiting


@dataclass
class Stage:
    """What the function was given and what it did; `left` is what the run does not get to."""

    free: bool = True
    left: int = 0
    fails: Exception | None = None
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    leases: list[str] = field(default_factory=list)
    polled: list[datetime] = field(default_factory=list)

    def take(self, holder: str, lasts: timedelta) -> bool:
        assert lasts == timedelta(seconds=55)
        self.leases.append(f"taken by {holder}")
        return self.free

    def give_back(self, holder: str) -> None:
        self.leases.append(f"given back by {holder}")

    def poll(self, stop_at: datetime) -> dict[str, int]:
        self.polled.append(stop_at)
        if self.fails:
            raise self.fails
        return {"settled": 1, "waiting": 0, "failed": 0, "left": self.left}

    def run(self, event: dict[str, Any] | None = None) -> Any:
        context: Any = SimpleNamespace(
            aws_request_id="run-1", get_remaining_time_in_millis=lambda: 55_000
        )
        return app.handler(event or {}, context)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    for name, value in {
        "STAGE": "test",
        "API_AUTH": "API_KEY",
        "DYNAMODB_TABLE": "jobs",
        "SSM_PREFIX": "/vsl/test/",
        "POLL_FUNCTION": "vsl-test-poll-predictions:live",
        "PROVIDER_READS_PER_MINUTE": "600",
    }.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    made = Stage()
    monkeypatch.setattr(app, "polling_lease", lambda: made)
    monkeypatch.setattr(app, "poll_predictions", lambda: made.poll)
    monkeypatch.setattr(app, "invoke_later", lambda name, event: made.asked.append((name, event)))
    for name in ("provider", "tracking_store", "task_tokens"):
        monkeypatch.setattr(wiring, name, lambda: None)
    yield made
    settings.cache_clear()


def test_nothing_is_left_and_no_run_follows(stage: Stage) -> None:
    assert stage.run()["settled"] == 1
    assert stage.leases == ["taken by run-1", "given back by run-1"]
    assert stage.asked == []
    assert len(stage.polled) == 1


def test_the_pace_is_a_share_of_the_providers_limit(stage: Stage) -> None:
    provider: Any = waiting.poll_predictions().check.provider
    assert provider._pace.per_second == pytest.approx(8)


def test_what_is_left_is_handed_on_once_the_lease_is_free(stage: Stage) -> None:
    stage.left = 7
    stage.run()
    assert stage.leases[-1] == "given back by run-1"
    assert stage.asked == [("vsl-test-poll-predictions:live", {"runs": 1})]


def test_a_row_of_runs_ends_before_lambda_ends_it(stage: Stage) -> None:
    """Lambda takes a function that calls itself sixteen times for a loop."""
    stage.left = 7
    event: dict[str, Any] = {}
    for _ in range(100):
        stage.asked.clear()
        stage.run(event)
        if not stage.asked:
            break
        event = stage.asked[0][1]
    assert event == {"runs": MOST_RUNS - 1}
    assert MOST_RUNS < 16


def test_another_run_is_not_disturbed(stage: Stage) -> None:
    stage.free = False
    assert stage.run() == {"busy": 1}
    assert (stage.polled, stage.asked, stage.leases) == ([], [], ["taken by run-1"])


def test_a_run_that_fails_gives_the_lease_back(stage: Stage) -> None:
    stage.fails = StoreUnavailable("DynamoDB did not answer.")
    with pytest.raises(StoreUnavailable):
        stage.run()
    assert stage.leases[-1] == "given back by run-1"


def test_a_run_is_over_before_the_schedule_begins_the_next() -> None:
    properties = resource("PollPredictionsFunction")["Properties"]
    assert timedelta(seconds=properties["Timeout"]) > RESERVE
    assert properties["Timeout"] < 60
