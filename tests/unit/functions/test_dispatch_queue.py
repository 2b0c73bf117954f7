"""The dispatcher's function: one run at a time, and what still waits goes to another at once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from functions.dispatch_queue import app
from vsl.runtime.lone_run import MOST_RUNS
from vsl.runtime.settings import settings


@dataclass
class Stage:
    """What the function was given and what it did; `left` and `late` are jobs that still wait when the
    run has used its time, and that joined in its last moment."""

    free: bool = True
    left: bool = False
    late: bool = False
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    did: list[str] = field(default_factory=list)

    def take(self, holder: str, lasts: timedelta) -> bool:
        assert lasts <= timedelta(seconds=30), "a run that dies holds up no other for long"
        self.did.append(f"taken by {holder}")
        return self.free

    def give_back(self, holder: str) -> None:
        self.did.append(f"given back by {holder}")

    def rejoin(self, job_ids: Sequence[str]) -> None:
        self.did += [f"rejoined {job_id}" for job_id in job_ids]

    def __call__(self, _stop_at: datetime, renew: Callable[[], bool]) -> tuple[int, bool]:
        assert renew() == self.free
        self.did.pop()
        self.did.append("dispatched")
        return 3, self.left

    def any_wait(self) -> bool:
        return self.late

    def run(self, event: dict[str, Any] | None = None) -> Any:
        context: Any = SimpleNamespace(
            aws_request_id="run-1", get_remaining_time_in_millis=lambda: 900_000
        )
        return app.handler(event or {}, context)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    for name, value in {
        "STAGE": "test",
        "API_AUTH": "API_KEY",
        "DYNAMODB_TABLE": "jobs",
        "SSM_PREFIX": "/vsl/test/",
        "DISPATCH_FUNCTION": "vsl-test-dispatch-queue:live",
    }.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    made = Stage()
    monkeypatch.setattr(app, "dispatching_lease", lambda: made)
    monkeypatch.setattr(app, "dispatch_queue", lambda: made)
    monkeypatch.setattr(app, "invoke_later", lambda name, event: made.asked.append((name, event)))
    yield made
    settings.cache_clear()


def test_a_run_takes_the_lease_and_gives_it_back(stage: Stage) -> None:
    assert stage.run() == {"woken": 3, "left": False}
    assert stage.did == ["taken by run-1", "dispatched", "given back by run-1"]
    assert stage.asked == []


def test_lost_jobs_join_again_whoever_dispatches(stage: Stage) -> None:
    stage.free = False
    assert stage.run({"jobIds": ["a", "b"]}) == {"busy": 1}
    assert stage.did == ["rejoined a", "rejoined b", "taken by run-1"]


@pytest.mark.parametrize("which", ["left", "late"])
def test_what_still_waits_is_handed_on_once_the_lease_is_free(stage: Stage, which: str) -> None:
    setattr(stage, which, True)
    assert stage.run()["left"]
    assert stage.did[-1] == "given back by run-1"
    assert stage.asked == [("vsl-test-dispatch-queue:live", {"runs": 1})]


def test_a_row_of_runs_ends_before_lambda_ends_it(stage: Stage) -> None:
    stage.left = True
    stage.run({"runs": MOST_RUNS - 1})
    assert stage.asked == []
