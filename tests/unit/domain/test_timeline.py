"""Segments: without a gap, summing to the whole, whatever the clocks and the course of the job."""

import itertools
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fakes import START
from tests.support.jobs import make_job
from vsl.domain.jobs.job import JobEvent, JobStatus, WebhookReceipt
from vsl.domain.jobs.timeline import JobRecord, timeline

JOB = make_job()
LATER = START + timedelta(hours=1)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def outcome(seconds: float, source: str = "webhook", **detail: Any) -> JobEvent:
    return JobEvent("outcome_recorded", at(seconds), source, {"status": "succeeded", **detail})


SUBMITTED = JobEvent("submitted", at(1), "workflow", {"attempt": 1, "replicateId": "p1"})
STORED = JobEvent("stored", at(13), detail={"files": 1, "bytes": 12})
COURSE = (
    JobEvent("created", START),
    JobEvent("validated", at(0.25)),
    JobEvent("admitted", at(0.375)),
    JobEvent("intent_1", at(0.75)),
    SUBMITTED,
    JobEvent("awaiting", at(1.25)),
    outcome(11, startedAt=at(4).isoformat(), completedAt=at(10.5).isoformat()),
    JobEvent("token_completed", at(11.1)),
    JobEvent("storing", at(11.5)),
    STORED,
    JobEvent("succeeded", at(13.25)),
)


def record(
    *events: JobEvent,
    status: JobStatus = JobStatus.SUCCEEDED,
    end: float | None = 13.25,
    **more: Any,
) -> JobRecord:
    completed = None if end is None else at(end)
    return JobRecord(
        JOB.job_id, JOB.user_id, status, START, completed, JOB.estimated_cost, events=events, **more
    )


def seconds(told: dict[str, Any]) -> list[tuple[str, float]]:
    return [(segment["name"], segment["seconds"]) for segment in told["segments"]]


def check(told: dict[str, Any]) -> None:
    """The promise: no gap, no overlap, the sum is the whole."""
    segments = told["segments"]
    assert segments[0]["start"] == told["createdAt"]
    for before, after in itertools.pairwise(segments):
        assert before["end"] == after["start"]
    if told["completedAt"]:
        assert segments[-1]["end"] == told["completedAt"]
    assert all(segment["seconds"] >= 0 for segment in segments)
    assert round(sum(segment["seconds"] for segment in segments), 3) == told["wallTime"]


def test_a_job_that_went_well() -> None:
    told = timeline(record(*COURSE), LATER)
    check(told)
    assert seconds(told) == [
        ("validate", 0.25),
        ("rate_limit", 0.125),
        ("start", 0.375),
        ("submit", 0.25),
        ("queue", 3.0),
        ("run", 6.5),
        ("notify", 0.5),
        ("wake", 0.5),
        ("store", 1.5),
        ("finalize", 0.25),
    ]
    assert (told["wallTime"], told["wokenBy"], told["retries"]) == (13.25, "webhook", 0)
    actors = {segment["name"]: segment["actor"] for segment in told["segments"]}
    assert actors["run"] == "provider"
    assert actors["notify"] == "webhook"
    assert actors["store"] == "workflow"


def test_the_time_of_a_running_job_goes_on() -> None:
    pending = timeline(record(*COURSE[:1], status=JobStatus.PENDING, end=None), at(0.5))
    assert seconds(pending) == [("validate", 0.5)]
    assert (pending["completedAt"], pending["wokenBy"]) == (None, None)
    running = record(*COURSE[:6], status=JobStatus.PROCESSING, end=None)
    assert seconds(timeline(running, at(9)))[-1] == ("queue", 8.0)
    check(timeline(running, at(9)))


def test_the_start_webhook_tells_when_the_model_began() -> None:
    receipts = (
        WebhookReceipt("m0", "another", "processing", at(2)),
        WebhookReceipt("m1", "p1", "processing", at(3)),
        WebhookReceipt("m2", "p1", "succeeded", at(2.5)),
    )
    running = record(*COURSE[:6], status=JobStatus.PROCESSING, end=None, webhooks=receipts)
    told = timeline(running, at(9))
    assert seconds(told)[-2:] == [("queue", 2.0), ("run", 6.0)]
    received = [event for event in told["events"] if event["name"] == "webhook_received"]
    assert [event["at"] for event in received] == sorted(event["at"] for event in received)
    assert len(received) == 3


def test_without_a_start_the_models_own_seconds_tell_it() -> None:
    found = outcome(11, completedAt=at(10).isoformat(), predictTime=2.5)
    told = timeline(record(*COURSE[:6], found, end=12), LATER)
    assert seconds(told)[4:6] == [("queue", 6.5), ("run", 2.5)]


def test_a_job_that_was_canceled_in_the_queue_never_ran() -> None:
    found = outcome(5, "user", completedAt=at(4).isoformat())
    events = (*COURSE[:6], JobEvent("cancel_requested", at(4), "user"), found)
    told = timeline(record(*events, status=JobStatus.CANCELED, end=5.5), LATER)
    assert [name for name, _ in seconds(told)] == [
        "validate",
        "rate_limit",
        "start",
        "submit",
        "queue",
        "notify",
        "finalize",
    ]
    assert told["wokenBy"] == "user"
    check(told)


def test_a_job_that_never_reached_the_provider() -> None:
    told = timeline(record(*COURSE[:4], status=JobStatus.FAILED, end=3), LATER)
    assert seconds(told) == [
        ("validate", 0.25),
        ("rate_limit", 0.125),
        ("start", 0.375),
        ("submit", 2.25),
    ]
    nothing = timeline(record(status=JobStatus.FAILED, end=2), LATER)
    assert seconds(nothing) == [("validate", 2.0)]


def test_earlier_attempts_are_one_segment() -> None:
    events = (
        JobEvent("intent_1", at(1)),
        JobEvent("abandoned_p0", at(40)),
        JobEvent("intent_2", at(41)),
        JobEvent("intent_3", at(43)),
        JobEvent("submitted", at(44), detail={"replicateId": "p1"}),
    )
    told = timeline(record(*events, status=JobStatus.PROCESSING, end=None), at(50))
    assert seconds(told) == [("validate", 1.0), ("retry", 42.0), ("submit", 1.0), ("queue", 6.0)]
    assert told["retries"] == 2
    assert told["segments"][1]["detail"] == {"attempts": 2}


@pytest.mark.parametrize("skew", [-3600, -5, 5, 3600])
def test_a_provider_whose_clock_is_off(skew: float) -> None:
    found = outcome(11, startedAt=at(4 + skew).isoformat(), completedAt=at(10.5 + skew).isoformat())
    told = timeline(record(*COURSE[:6], found, *COURSE[5:]), LATER)
    check(told)
    assert sum(took for name, took in seconds(told) if name in {"queue", "run", "notify"}) == 10


def test_the_wait_for_a_slot_is_a_segment() -> None:
    events = (
        JobEvent("validated", at(1)),
        JobEvent("admitted", at(2)),
        JobEvent("queued", at(3)),
        JobEvent("dequeued", at(63)),
        JobEvent("intent_1", at(64)),
        JobEvent("submitted", at(65)),
    )
    waits = timeline(record(*events[:3], status=JobStatus.PENDING, end=None), at(10))
    assert seconds(waits)[-2:] == [("start", 1.0), ("slot", 7.0)]
    woken = timeline(record(*events[:4], status=JobStatus.PENDING, end=None), at(63.5))
    assert seconds(woken)[-2:] == [("slot", 60.0), ("submit", 0.5)]
    told = timeline(record(*events, status=JobStatus.PROCESSING, end=None), at(70))
    assert seconds(told)[-3:] == [("slot", 60.0), ("submit", 2.0), ("queue", 5.0)]
    unmarked = timeline(record(*events[:3], *events[4:], end=70), LATER)
    assert seconds(unmarked)[-4:-2] == [("start", 1.0), ("slot", 61.0)]
    for each in (waits, woken, told, unmarked):
        check(each)


def test_a_job_that_was_throttled_waits_once_more() -> None:
    """The mark of its former turn is older than its new wait."""
    events = (
        JobEvent("dequeued", at(1)),
        JobEvent("intent_1", at(2)),
        JobEvent("queued", at(3)),
    )
    waits = timeline(record(*events, status=JobStatus.PENDING, end=None), at(10))
    assert seconds(waits) == [("validate", 2.0), ("submit", 1.0), ("slot", 7.0)]
    again = (
        *events[1:],
        JobEvent("dequeued", at(10)),
        JobEvent("intent_2", at(11)),
        JobEvent("submitted", at(12)),
    )
    told = timeline(record(*again, status=JobStatus.PROCESSING, end=None), at(20))
    assert seconds(told) == [
        ("validate", 2.0),
        ("retry", 1.0),
        ("slot", 7.0),
        ("submit", 2.0),
        ("queue", 8.0),
    ]


def test_attempts_after_the_turn_begin_with_it() -> None:
    events = (
        JobEvent("queued", at(1)),
        JobEvent("dequeued", at(5)),
        JobEvent("intent_1", at(6)),
        JobEvent("intent_2", at(9)),
    )
    told = timeline(record(*events, status=JobStatus.PENDING, end=None), at(10))
    assert seconds(told) == [("validate", 1.0), ("slot", 4.0), ("retry", 4.0), ("submit", 1.0)]


moments = st.floats(-100, 4000).map(at)
NAMES = [
    "created",
    "queued",
    "dequeued",
    "intent_1",
    "intent_2",
    "submitted",
    "storing",
    "stored",
    "token_completed",
]


@given(
    st.dictionaries(st.sampled_from(NAMES), moments),
    st.one_of(st.none(), st.tuples(moments, st.one_of(st.none(), moments), moments)),
    st.one_of(st.none(), moments),
)
def test_it_always_adds_up(
    marks: dict[str, datetime],
    found: tuple[datetime, datetime | None, datetime] | None,
    end: datetime | None,
) -> None:
    events = [JobEvent(name, when) for name, when in marks.items()]
    if found:
        detail = {"completedAt": found[2].isoformat()}
        if found[1]:
            detail["startedAt"] = found[1].isoformat()
        events.append(JobEvent("outcome_recorded", found[0], "poller", detail))
    completed = None if end is None else max(end, START)
    course = JobRecord(
        JOB.job_id,
        "u",
        JobStatus.PENDING,
        START,
        completed,
        JOB.estimated_cost,
        events=tuple(events),
    )
    check(timeline(course, at(100)))


def test_money_stands_where_it_moved() -> None:
    held = JobEvent("hold", at(0.3), "money", {"amount": "0.009"})
    charged = JobEvent("charge", at(13.25), "money", {"amount": "0.003"})
    told = timeline(record(*COURSE, actual_cost=Decimal("0.003"), movements=(held, charged)), LATER)
    assert [event["name"] for event in told["events"]][2:4] == ["hold", "admitted"]
    assert {**told["events"][2], "at": ""} == {
        "name": "hold", "at": "", "source": "money", "detail": {"amount": "0.009"},
    }  # fmt: skip
    assert [told[name] for name in ("estimatedCost", "heldCost", "actualCost")] == [
        str(JOB.estimated_cost), None, "0.003",
    ]  # fmt: skip
    check(told)
