"""GET /status/{jobId} as API Gateway calls it: conditional answers, long polls, parameters."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.get_status import app
from tests.support.jobs import make_asset, make_job
from tests.support.outside import START, MemoryCache, PlainSigner, SteppedClock
from vsl.domain.job import FinishedJob, JobStatus
from vsl.domain.prefer import LONGEST_WAIT
from vsl.domain.status import StatusDocument, finished_document, status_document
from vsl.runtime.settings import settings
from vsl.services import await_change

JOB = make_job()
SUCCEEDED = finished_document(
    FinishedJob(JOB, JobStatus.SUCCEEDED, START, assets=(make_asset(),), logs="100%|")
)


class Context:
    aws_request_id = "request-1"

    def __init__(self, left: float = 28) -> None:
        self.left = left

    def get_remaining_time_in_millis(self) -> int:
        return int(self.left * 1000)


class History:
    def parameters(self, job_id: str) -> dict[str, Any]:
        assert job_id == JOB.job_id
        return dict(JOB.parameters)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[SteppedClock]:
    for name, value in {
        "STAGE": "test",
        "API_AUTH": "API_KEY",
        "DYNAMODB_TABLE": "jobs",
        "SSM_PREFIX": "/vsl/test/",
    }.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    found = SteppedClock(START.replace(minute=1))
    monkeypatch.setattr(app, "clock", found)
    monkeypatch.setattr(app, "signer", PlainSigner)
    monkeypatch.setattr(app, "history", History)
    yield found
    settings.cache_clear()


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, clock: SteppedClock) -> MemoryCache:
    found = MemoryCache()
    monkeypatch.setattr(app, "status_cache", lambda: found)
    found.put(SUCCEEDED)
    return found


def ask(query: dict[str, str] | None = None, tag: str | None = None, left: float = 28) -> Any:
    event = {
        "pathParameters": {"jobId": JOB.job_id},
        "queryStringParameters": query,
        "headers": {"if-none-match": tag} if tag else None,
    }
    return app.handler(event, Context(left))


def live(status: JobStatus) -> StatusDocument:
    return status_document(JOB, status, START)


def test_the_whole_answer(cache: MemoryCache) -> None:
    answer = ask()
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body["progress"], body["logs"]) == (200, 1.0, "100%|")
    assert answer["headers"]["Cache-Control"] == "private, no-cache"
    assert "parameters" not in body


def test_nothing_is_sent_twice(cache: MemoryCache, clock: SteppedClock) -> None:
    tag = ask()["headers"]["ETag"]
    clock.advance(60)
    again = ask(tag=tag)
    assert (again["statusCode"], again["body"], again["headers"]["ETag"]) == (304, "", tag)


def test_before_addresses_expire_the_answer_is_sent_again(
    cache: MemoryCache, clock: SteppedClock
) -> None:
    tag = ask()["headers"]["ETag"]
    clock.advance(28 * 60)
    assert ask(tag=tag)["statusCode"] == 304
    clock.advance(2 * 60)
    assert ask(tag=tag)["statusCode"] == 200


def test_an_answer_without_addresses_stays_right(cache: MemoryCache, clock: SteppedClock) -> None:
    cache.put(
        finished_document(FinishedJob(JOB, JobStatus.FAILED, START, error_code="OutputMissing"))
    )
    tag = ask()["headers"]["ETag"]
    clock.advance(24 * 3600)
    assert ask(tag=tag)["statusCode"] == 304


def test_progress_and_status_change_the_tag(cache: MemoryCache, clock: SteppedClock) -> None:
    tags = []
    for status in (JobStatus.PENDING, JobStatus.PROCESSING):
        cache.put(live(status))
        tags.append(ask()["headers"]["ETag"])
    clock.at = START
    tags.append(ask()["headers"]["ETag"])
    clock.advance(1)
    tags.append(ask()["headers"]["ETag"])
    assert len(set(tags)) == 4


def test_parameters_are_added_when_asked_for(cache: MemoryCache) -> None:
    plain, full = ask(), ask({"include": "parameters"})
    assert json.loads(full["body"])["parameters"] == JOB.parameters
    assert full["headers"]["ETag"] != plain["headers"]["ETag"]


@pytest.mark.parametrize("query", [{"wait": "26"}, {"wait": "soon"}, {"include": "all"}])
def test_what_is_asked_wrongly_is_refused(cache: MemoryCache, query: dict[str, str]) -> None:
    answer = ask(query)
    assert answer["statusCode"] == 400
    assert [field["field"] for field in json.loads(answer["body"])["fields"]] == list(query)


def test_a_stranger_learns_nothing(cache: MemoryCache) -> None:
    for query in ({}, {"wait": "5"}, {"include": "parameters"}):
        assert ask({"userId": "stranger", **query}, tag="*")["statusCode"] == 404


@pytest.mark.parametrize(
    ("wait", "left", "waited"), [("3", 28, 3), ("25", 10, 8), ("25", 1, 0), ("0", 28, 0)]
)
def test_a_wait_ends_before_the_function_does(
    cache: MemoryCache, monkeypatch: pytest.MonkeyPatch, wait: str, left: float, waited: float
) -> None:
    slept: list[float] = []
    defaults = {"sleep": slept.append, "monotonic": lambda: sum(slept)}
    monkeypatch.setattr(await_change.await_change, "__kwdefaults__", defaults)
    cache.put(live(JobStatus.PENDING))
    assert ask({"wait": wait}, left=left)["statusCode"] == 200
    assert sum(slept) == pytest.approx(waited)


def test_a_wait_ends_with_the_job(cache: MemoryCache, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        cache.put(SUCCEEDED)

    defaults = {"sleep": sleep, "monotonic": lambda: sum(slept)}
    monkeypatch.setattr(await_change.await_change, "__kwdefaults__", defaults)
    cache.put(live(JobStatus.PROCESSING))
    assert json.loads(ask({"wait": "25"})["body"])["status"] == "succeeded"
    assert len(slept) == 1


def test_the_longest_wait_fits_into_the_function() -> None:
    from tests.support.template import resource

    timeout = resource("GetStatusFunction")["Properties"]["Timeout"]
    assert LONGEST_WAIT + app._MARGIN < timeout < 29
