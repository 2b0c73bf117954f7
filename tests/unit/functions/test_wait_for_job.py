"""WaitForJob as the door calls it: how long, and what becomes of the answer."""

import json
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from functions.wait_for_job import app
from tests.support.jobs import make_asset, make_job
from tests.support.machines import definition
from tests.support.outside import START, MemoryCache, PlainSigner, SteppedClock
from tests.support.template import resource
from vsl.domain.job import FinishedJob, JobStatus, iso
from vsl.domain.prefer import LONGEST_WAIT
from vsl.domain.status import StatusDocument, finished_document
from vsl.runtime.settings import settings

JOB = make_job()
DONE = finished_document(FinishedJob(JOB, JobStatus.SUCCEEDED, START, assets=(make_asset(),)))
ACCEPTED = {
    "statusCode": 202,
    "headers": {"Content-Type": "application/json", "Location": "/status/1"},
    "body": '{"status":"pending"}',
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """How long the use case was told to wait."""
    for name, value in {
        "STAGE": "local",
        "API_AUTH": "NONE",
        "DYNAMODB_TABLE": "jobs",
        "SSM_PREFIX": "/vsl/local/",
    }.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    seconds: list[float] = []
    monkeypatch.setattr(app, "status_cache", MemoryCache)
    monkeypatch.setattr(app, "signer", PlainSigner)
    monkeypatch.setattr(app, "clock", SteppedClock())
    yield seconds
    settings.cache_clear()


def call(
    monkeypatch: pytest.MonkeyPatch,
    asked: list[float],
    found: StatusDocument | None,
    *,
    wait: int = 10,
    elapsed: float = 0.5,
    remaining: float = 26,
) -> dict[str, Any]:
    def waited(job_id: str, user_id: str, seconds: float, *_: object) -> StatusDocument | None:
        assert (job_id, user_id) == (JOB.job_id, JOB.user_id)
        asked.append(seconds)
        return found

    monkeypatch.setattr(app, "wait_for_job", waited)
    context: Any = SimpleNamespace(
        aws_request_id="r1", get_remaining_time_in_millis=lambda: int(remaining * 1000)
    )
    event = {
        "job": JOB.document(),
        "answer": ACCEPTED,
        "wait": wait,
        "startedAt": iso(START - timedelta(seconds=elapsed)),
    }
    answer: dict[str, Any] = app.handler(event, context)
    return answer


def test_the_finished_job_is_the_answer(
    monkeypatch: pytest.MonkeyPatch, asked: list[float]
) -> None:
    answer = call(monkeypatch, asked, DONE)
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body["status"]) == (200, "succeeded")
    assert body["result"]["originalUrl"].startswith("signed:")
    assert answer["headers"] == {**ACCEPTED["headers"], "Preference-Applied": "wait=10"}  # type: ignore[dict-item]


def test_an_unfinished_job_leaves_the_answer_as_it_was(
    monkeypatch: pytest.MonkeyPatch, asked: list[float]
) -> None:
    answer = call(monkeypatch, asked, None)
    assert answer["headers"].pop("Preference-Applied") == "wait=10"
    assert answer == ACCEPTED


@pytest.mark.parametrize(
    ("wait", "elapsed", "remaining", "seconds"),
    [(10, 0.5, 26, 10), (25, 4, 26, 21), (25, 30, 26, -5), (25, 0.5, 3, 2)],
)
def test_the_wait_fits_into_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
    asked: list[float],
    wait: int,
    elapsed: float,
    remaining: float,
    seconds: float,
) -> None:
    call(monkeypatch, asked, None, wait=wait, elapsed=elapsed, remaining=remaining)
    assert asked == [pytest.approx(seconds, abs=0.01)]


def test_the_answer_is_on_its_way_before_the_machine_ends() -> None:
    machine = definition("generate_media")
    timeout = resource("WaitForJobFunction")["Properties"]["Timeout"]
    assert LONGEST_WAIT <= app.WAIT_ENDS_AFTER
    assert machine["TimeoutSeconds"] > app.WAIT_ENDS_AFTER + 2
    assert timeout - app._MARGIN >= LONGEST_WAIT
