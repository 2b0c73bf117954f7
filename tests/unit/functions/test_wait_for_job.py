"""WaitForJob as the API workflow calls it: how long it waits, and what it answers."""

import json
from datetime import timedelta
from typing import Any

import pytest

from functions.wait_for_job import app
from tests.support.fakes import START, SteppedClock
from tests.support.jobs import make_job
from tests.support.lambda_context import Context
from tests.support.machines import definition
from tests.support.template import resource
from vsl.domain.api.prefer import LONGEST_WAIT
from vsl.domain.jobs.job import iso
from vsl.runtime.handler import Response
from vsl.services.reading.waited import Waited

JOB = make_job()
ACCEPTED = {
    "statusCode": 202,
    "headers": {"Content-Type": "application/json", "Location": "/status/1"},
    "body": '{"status":"pending"}',
}


class Wait:
    """The use case: what it was asked, and what it answers."""

    def __init__(self, waited: Waited) -> None:
        self.waited = waited
        self.asked: list[tuple[str, str, str]] = []
        self.seconds: list[float] = []

    def __call__(self, job_id: str, user_id: str, wait_id: str, seconds: float) -> Waited:
        self.asked.append((job_id, user_id, wait_id))
        self.seconds.append(seconds)
        return self.waited


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "clock", SteppedClock())


def call(
    monkeypatch: pytest.MonkeyPatch,
    wait_for_job: Wait,
    *,
    wait: int = 10,
    elapsed: float = 0.5,
    remaining: float = 26,
) -> Response:
    monkeypatch.setattr(app, "wait_for_job", lambda: wait_for_job)
    event: Any = {
        "job": JOB.document(),
        "answer": ACCEPTED,
        "wait": wait,
        "startedAt": iso(START - timedelta(seconds=elapsed)),
    }
    answer = app.handler(event, Context(left=remaining))
    assert wait_for_job.asked == [(JOB.job_id, JOB.user_id, "request-1")]
    return answer


def test_the_finished_job_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"status": "succeeded"}
    answer = call(monkeypatch, Wait(Waited(granted=True, body=body, ended=True)))
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, body)
    assert answer["headers"] == {**ACCEPTED["headers"], "Preference-Applied": "wait=10"}  # type: ignore[dict-item]


def test_an_unfinished_job_is_answered_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"status": "processing", "replicateId": "r1", "progress": 0.4}
    answer = call(monkeypatch, Wait(Waited(granted=True, body=body)))
    assert answer["headers"].pop("Preference-Applied") == "wait=10"
    assert json.loads(answer.pop("body")) == {"status": "processing", "replicateId": "r1"}  # type: ignore[misc]
    assert answer.items() <= ACCEPTED.items()


@pytest.mark.parametrize(
    ("wait", "elapsed", "remaining", "seconds"),
    [(10, 0.5, 26, 10), (25, 4, 26, 21), (25, 30, 26, -5), (25, 0.5, 3, 2), (10, 0.5, 0.5, -0.5)],
)
def test_the_wait_fits_into_what_is_left(
    monkeypatch: pytest.MonkeyPatch, wait: int, elapsed: float, remaining: float, seconds: float
) -> None:
    use_case = Wait(Waited(granted=True))
    call(monkeypatch, use_case, wait=wait, elapsed=elapsed, remaining=remaining)
    assert use_case.seconds == [pytest.approx(seconds, abs=0.01)]


def test_without_a_place_the_answer_says_that_it_did_not_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = call(monkeypatch, Wait(Waited(granted=False)))
    assert answer["headers"].pop("Retry-After") == "2"
    assert answer == ACCEPTED, "Preference-Applied would be a lie (RFC 7240, 3)"


def test_the_answer_is_on_its_way_before_the_machine_ends() -> None:
    machine = definition("generate_media")
    timeout = resource("WaitForJobFunction")["Properties"]["Timeout"]
    assert LONGEST_WAIT <= app.WAIT_ENDS_AFTER
    assert machine["TimeoutSeconds"] > app.WAIT_ENDS_AFTER + 2
    assert timeout - app._MARGIN >= LONGEST_WAIT
