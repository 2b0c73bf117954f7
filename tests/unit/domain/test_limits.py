"""The rule of both limits, and the headers that tell of it."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fakes import START
from tests.support.jobs import make_job
from vsl.domain.api.limits import WINDOW, Admission, Limits, RecentJob, Verdict, admit
from vsl.domain.jobs.job import MAX_TIMEOUT_SECONDS, SUBMISSION_SLACK

JOB = make_job()


def jobs(ages: list[int]) -> list[RecentJob]:
    return [
        RecentJob(f"job-{n}", START - timedelta(seconds=age), None) for n, age in enumerate(ages)
    ]


@given(ages=st.lists(st.integers(0, 3599), max_size=12), per_hour=st.integers(1, 8))
def test_the_wait_is_the_first_moment_with_a_place(ages: list[int], per_hour: int) -> None:
    admission = admit(JOB, Limits(per_hour, 1), jobs(ages), START)

    def taken(at: datetime) -> int:
        return sum(1 for age in ages if START - timedelta(seconds=age) > at - WINDOW)

    if admission.admitted:
        assert taken(START) < per_hour
    else:
        free = START + timedelta(seconds=admission.next_place)
        assert taken(free) < per_hour
        assert taken(free - timedelta(milliseconds=1)) >= per_hour


def test_an_hour_of_zero_waits_its_whole_length() -> None:
    admission = admit(JOB, Limits(0, 1), jobs([10]), START)
    assert (admission.verdict, admission.next_place) == (Verdict.HOUR_IS_FULL, 3600)


@pytest.mark.parametrize("age", [timedelta(), WINDOW, 9 * WINDOW])
def test_its_age_admits_no_job_and_being_written_down_does(age: timedelta) -> None:
    now = JOB.created_at + age
    assert admit(JOB, Limits(0, 9), [], now).verdict is Verdict.HOUR_IS_FULL
    admission = admit(JOB, Limits(0, 0), [], now, created=True)
    assert admission.verdict is Verdict.AGAIN


def test_no_job_runs_longer_than_the_hour_that_is_remembered() -> None:
    assert timedelta(seconds=MAX_TIMEOUT_SECONDS) + SUBMISSION_SLACK <= WINDOW


def test_the_headers_never_count_below_zero() -> None:
    lowered = Admission(Verdict.AGAIN, 7, 4, 0.2)
    assert lowered.headers(Limits(5, 3)) == {
        "RateLimit-Policy": '"hour";q=5;w=3600, "concurrent";q=3;qu="concurrent-requests"',
        "RateLimit": '"hour";r=0;t=1, "concurrent";r=0',
    }
