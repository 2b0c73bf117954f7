"""GET /status/{jobId} as API Gateway calls it: conditional answers, long polls, parameters."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.get_status import app
from tests.support.fakes import START, FewPlaces, MemoryCache, PlainSigner, SteppedClock
from tests.support.jobs import make_asset, make_job
from tests.support.lambda_context import Context
from vsl.domain.api.prefer import LONGEST_WAIT
from vsl.domain.errors import JobNotFound
from vsl.domain.jobs.job import FinishedJob, JobStatus
from vsl.domain.jobs.status import StatusDocument, finished_document, status_document
from vsl.runtime import wiring
from vsl.services.reading import await_change
from vsl.services.reading.await_change import AwaitChange

JOB = make_job()
SUCCEEDED = finished_document(
    FinishedJob(JOB, JobStatus.SUCCEEDED, START, assets=(make_asset(),), logs="100%|")
)


class JobRepository:
    def parameters(self, job_id: str) -> dict[str, Any]:
        assert job_id == JOB.job_id
        return dict(JOB.parameters)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SteppedClock:
    found = SteppedClock(START.replace(minute=1))
    monkeypatch.setattr(wiring, "clock", found)
    monkeypatch.setattr(wiring, "signer", PlainSigner)
    monkeypatch.setattr(wiring, "job_repository", JobRepository)
    return found


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, clock: SteppedClock) -> MemoryCache:
    found = MemoryCache()
    monkeypatch.setattr(wiring, "status_cache", lambda: found)
    found.put(SUCCEEDED)
    return found


@pytest.fixture(autouse=True)
def places(monkeypatch: pytest.MonkeyPatch) -> FewPlaces:
    found = FewPlaces()
    monkeypatch.setattr(wiring, "wait_places", lambda: found)
    return found


def ask(query: dict[str, str] | None = None, tag: str | None = None, left: float = 28) -> Any:
    event = {
        "pathParameters": {"jobId": JOB.job_id},
        "queryStringParameters": query,
        "headers": {"if-none-match": tag} if tag else None,
    }
    return app.handler(event, Context(left=left))


def running(status: JobStatus) -> StatusDocument:
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
        cache.put(running(status))
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
    cache: MemoryCache, slept: list[float], wait: str, left: float, waited: float
) -> None:
    cache.put(running(JobStatus.PENDING))
    assert ask({"wait": wait}, left=left)["statusCode"] == 200
    assert sum(slept) == pytest.approx(waited)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What was waited; no test sleeps."""
    found: list[float] = []
    waits = AwaitChange(sleep=found.append, monotonic=lambda: sum(found))
    monkeypatch.setattr(await_change, "AwaitChange", lambda: waits)
    return found


def test_who_waits_holds_a_place_and_gives_it_back(
    cache: MemoryCache, places: FewPlaces, clock: SteppedClock, slept: list[float]
) -> None:
    held: list[dict[tuple[str, str], datetime]] = []
    cache.put(running(JobStatus.PENDING))
    original = cache.get

    def watched(job_id: str) -> StatusDocument | None:
        held.append(dict(places.taken))
        return original(job_id)

    cache.get = watched  # type: ignore[method-assign]
    answer = ask({"wait": "3"})
    assert "Retry-After" not in answer["headers"]
    assert held[0] == {}, "nobody takes a place before it is known who asks for what"
    (until,) = held[1].values()
    assert held[1].keys() == {(JOB.user_id, "request-1")}
    assert until - clock.at >= timedelta(seconds=3)
    assert sum(slept) == pytest.approx(3)
    assert places.taken == {}


def test_without_a_place_the_answer_comes_at_once_and_says_so(
    cache: MemoryCache, places: FewPlaces, slept: list[float]
) -> None:
    places.free = 0
    cache.put(running(JobStatus.PENDING))
    answer = ask({"wait": "25"})
    assert (answer["statusCode"], json.loads(answer["body"])["status"]) == (200, "pending")
    assert answer["headers"]["Retry-After"] == "2"
    again = ask({"wait": "25"}, tag=answer["headers"]["ETag"])
    assert (again["statusCode"], again["headers"]["Retry-After"]) == (304, "2")
    assert slept == []


@pytest.mark.parametrize("query", [{}, {"wait": "0"}])
def test_who_does_not_wait_needs_no_place(
    cache: MemoryCache, places: FewPlaces, query: dict[str, str]
) -> None:
    places.free = 0
    cache.put(running(JobStatus.PENDING))
    assert "Retry-After" not in ask(query)["headers"]


def test_for_a_job_that_has_ended_nobody_waits(cache: MemoryCache, places: FewPlaces) -> None:
    places.free = 0
    assert "Retry-After" not in ask({"wait": "25"})["headers"]


def test_a_wait_that_fails_gives_its_place_back(
    cache: MemoryCache, places: FewPlaces, slept: list[float]
) -> None:
    cache.put(running(JobStatus.PENDING))
    original = cache.get

    def deleted_meanwhile(job_id: str) -> StatusDocument | None:
        if places.taken:
            raise JobNotFound("There is no job with this id.")
        return original(job_id)

    cache.get = deleted_meanwhile  # type: ignore[method-assign]
    assert ask({"wait": "5"})["statusCode"] == 404
    assert places.taken == {}


def test_a_wait_ends_with_the_job(cache: MemoryCache, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        cache.put(SUCCEEDED)

    waits = AwaitChange(sleep, lambda: sum(slept))
    monkeypatch.setattr(await_change, "AwaitChange", lambda: waits)
    cache.put(running(JobStatus.PROCESSING))
    assert json.loads(ask({"wait": "25"})["body"])["status"] == "succeeded"
    assert len(slept) == 1


def test_the_longest_wait_fits_into_the_function() -> None:
    from tests.support.template import resource

    timeout = resource("GetStatusFunction")["Properties"]["Timeout"]
    assert LONGEST_WAIT + app._MARGIN < timeout < 29
