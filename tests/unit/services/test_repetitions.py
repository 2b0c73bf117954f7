"""When two equal requests are one job, and when they stay two."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.admission import make_accept_request
from tests.support.fakes import MemoryKeys, MemoryRecentRequests
from tests.support.jobs import catalogue
from tests.unit.services.test_accept_request import REQUEST, STARTED, Items, item_of
from vsl.domain.api.repetition import MAX_WINDOW_SECONDS, RETRY_SECONDS, Repetition
from vsl.domain.errors import BudgetExceeded
from vsl.domain.jobs.execution import Execution
from vsl.domain.jobs.job import Job


class Stage:
    """Requests one after the other; each accepted job is written down, as CreateJob does."""

    def __init__(self) -> None:
        self.now = STARTED
        self.keys = MemoryKeys(lambda: self.now)
        self.recent = MemoryRecentRequests()
        self.items = Items()
        self.count = 0
        self.refusal: Exception | None = None

    def ask(self, request: dict[str, Any] = REQUEST, *, later: int = 0, **more: Any) -> str:
        """`later` in seconds; the job's id."""
        self.now += timedelta(seconds=later)
        self.count += 1
        execution = Execution(f"arn:execution:{self.count}", "a-name", self.now)
        return self.accept(request, execution, **more)

    def accept(self, request: dict[str, Any], execution: Execution, **more: Any) -> str:
        accept = make_accept_request(catalogue(), self.items, self.check, recent=self.recent)
        accepted = accept({"request": request, **more}, execution, self.keys)
        job = accepted.job
        if accepted.key:
            self.keys.hold(accepted.key, job.job_id)
            self.keys.bind(accepted.key, job.job_id)
        self.items.items.setdefault(job.job_id, item_of(job, attempt=1))
        return job.job_id

    def check(self, _job: Job) -> None:
        if self.refusal:
            raise self.refusal


def test_a_marked_retry_is_the_job_of_what_it_repeats() -> None:
    stage = Stage()
    first = stage.ask(retry="0")
    assert stage.ask(retry="1", later=2) == first
    assert stage.ask(retry="2", later=RETRY_SECONDS - 2) == first
    assert stage.ask({**REQUEST, "priority": "batch"}, retry="1") != first
    assert stage.ask({**REQUEST, "userId": "another"}, retry="1") != first


def test_equal_requests_that_are_meant_stay_two() -> None:
    stage = Stage()
    assert len({stage.ask(retry="0") for _ in range(3)}) == 3
    assert len({stage.ask() for _ in range(3)}) == 3
    assert len({stage.ask(dedupeSeconds=0, keyId="k") for _ in range(3)}) == 3


def test_a_retry_of_what_is_too_old_or_was_not_marked_is_a_job_of_its_own() -> None:
    stage = Stage()
    unmarked = stage.ask()
    first = stage.ask(retry="1")
    assert first != unmarked
    assert stage.ask(retry="1", later=RETRY_SECONDS + 1) != first


def test_a_retry_is_that_of_the_latest() -> None:
    stage = Stage()
    stage.ask(retry="0")
    second = stage.ask(retry="0", later=1)
    assert stage.ask(retry="1", later=1) == second


def test_a_key_may_ask_for_a_window() -> None:
    stage = Stage()
    key: dict[str, Any] = {"keyId": "key-1", "dedupeSeconds": 30}
    first = stage.ask(**key)
    assert stage.ask(later=29, **key) == first
    second = stage.ask(later=2, **key)
    assert second != first, "the window is counted from the request that made the job"
    assert stage.ask(later=1, **{**key, "keyId": "key-2"}) not in {first, second}
    assert stage.ask(later=1, authorizer={"keyId": "key-1", "dedupeSeconds": "30"}) == second


def test_a_client_with_a_key_of_its_own_decides_itself() -> None:
    stage = Stage()
    first = stage.ask(retry="0", idempotencyKey="one")
    assert stage.ask(retry="1", idempotencyKey="two") != first
    assert stage.ask(retry="1", idempotencyKey="one") == first


def test_a_step_that_is_repeated_finds_its_own_record() -> None:
    stage = Stage()
    told: list[dict[str, Any]] = [{"retry": "1"}, {"retry": "0"}, {"dedupeSeconds": 5}]
    for more in told:
        execution = Execution(f"arn:execution:again:{more}", "a-name", stage.now)
        assert len({stage.accept(REQUEST, execution, **more) for _ in range(3)}) == 1
        stage.now += timedelta(hours=1)


def test_a_refusal_binds_nothing() -> None:
    stage = Stage()
    stage.refusal = BudgetExceeded("No room.")
    with pytest.raises(BudgetExceeded):
        stage.ask(retry="0")
    stage.refusal = None
    assert stage.ask(retry="1") == stage.ask(retry="2")


def test_a_job_that_is_deleted_is_no_job_to_join() -> None:
    stage = Stage()
    first = stage.ask(retry="0")
    del stage.items.items[first]
    second = stage.ask(retry="1", later=1)
    assert second != first
    assert stage.ask(retry="2", later=1) == second


def test_nothing_of_the_request_is_kept() -> None:
    stage = Stage()
    stage.ask(retry="0", keyId="key-1")
    ((digest, (key, _)),) = stage.recent.kept.items()
    assert (len(digest), len(key)) == (64, 32)
    assert all(set(text) <= set("0123456789abcdef") for text in (digest, key))


@pytest.mark.parametrize("said", [None, "", "two", "-1", "1.5", "999999", True, [1], "\uff11"])
def test_what_cannot_be_read_is_not_said(said: Any) -> None:
    assert not Repetition.read(said, None, said).told


def test_a_window_has_a_limit() -> None:
    assert Repetition.read(None, "k", 99_999).window == MAX_WINDOW_SECONDS
