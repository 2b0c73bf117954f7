"""The list and the timeline: PostgreSQL's pages with the status of running jobs from the tracking items."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.fakes import START, PlainSigner, SteppedClock, StillQueue
from tests.support.jobs import make_asset, make_job
from tests.unit.services.conftest import World
from vsl.domain.api.caller import Caller
from vsl.domain.api.job_list import JobFilter, ListedJob, ListRequest, Position
from vsl.domain.errors import JobNotFound
from vsl.domain.jobs.job import FinishedJob, Job, JobEvent, JobStatus
from vsl.domain.jobs.place import Place
from vsl.domain.jobs.status import asked_document, finished_document, status_document
from vsl.domain.jobs.timeline import JobRecord
from vsl.services.reading.get_timeline import GetTimeline
from vsl.services.reading.list_jobs import ListJobs
from vsl.services.reading.live_documents import LiveDocuments
from vsl.services.reading.show_status import ShowStatus

BACK_END = Caller()


class MemoryJobQueries:
    """PostgreSQL's rows; only the filters that list_jobs itself depends on."""

    def __init__(self) -> None:
        self.rows: list[ListedJob] = []
        self.records: dict[str, JobRecord] = {}
        self.reads = 0

    def add(self, job: Job, end: JobStatus | None = None) -> None:
        if end is None:
            document = status_document(job, JobStatus.PENDING, job.created_at)
        else:
            assets = (make_asset(),) if end is JobStatus.SUCCEEDED else ()
            document = finished_document(FinishedJob(job, end, job.created_at, assets=assets))
        self.rows.append(ListedJob(Position(job.created_at, job.job_id), document))
        self.rows.sort(key=lambda row: (row.position.created_at, row.position.job_id), reverse=True)

    def list_jobs(
        self, wanted: JobFilter, after: Position | None, limit: int
    ) -> Sequence[ListedJob]:
        self.reads += 1
        rows = self.rows
        if wanted.status is not None:
            terminal = wanted.status.terminal
            rows = [row for row in rows if (row.document["completedAt"] is not None) == terminal]
        if after is not None:
            mark = (after.created_at, after.job_id)
            rows = [r for r in rows if (r.position.created_at, r.position.job_id) < mark]
        return rows[:limit]

    def record(self, job_id: str) -> JobRecord | None:
        return self.records.get(job_id)


def make(world: World, number: int, status: JobStatus | None = None) -> Job:
    """A live job in the given state, `number` seconds after the first one."""
    job = make_job(f"job-{number}", START + timedelta(seconds=number))
    world.tracking.create(job, job.created_at, None)
    if status:
        world.tracking.record_event(job.job_id, JobEvent(status.value, job.created_at), status)
    return job


def page(world: World, queries: MemoryJobQueries, **asked: Any) -> dict[str, Any]:
    after, limit = asked.pop("after", None), asked.pop("limit", 20)
    live = LiveDocuments(asked.pop("queue", StillQueue()), world.clock)
    wanted = JobFilter(**asked)
    request = ListRequest(wanted, Position.parse(after, wanted) if after else None, limit)
    list_jobs = ListJobs(queries, world.tracking, live, ShowStatus(PlainSigner()), world.clock)
    return list_jobs(request)


def ids(answer: dict[str, Any]) -> list[str]:
    return [job["jobId"] for job in answer["jobs"]]


def test_running_jobs_stand_where_their_live_items_say(world: World) -> None:
    queries = MemoryJobQueries()
    running, ended = make(world, 1, JobStatus.PROCESSING), make_job("ended")
    queries.add(running)
    queries.add(ended, JobStatus.SUCCEEDED)
    lost = make_job("only in PostgreSQL", START - timedelta(days=40))
    queries.add(lost)
    answer = page(world, queries)
    assert [(job["jobId"], job["status"]) for job in answer["jobs"]] == [
        (running.job_id, "processing"),
        (ended.job_id, "succeeded"),
        (lost.job_id, "pending"),
    ]
    assert answer["jobs"][1]["result"]["thumbnailUrl"].startswith("signed:thumbnails/")
    assert answer["nextCursor"] is None


def test_the_places_of_jobs_that_wait_for_the_provider_are_listed(world: World) -> None:
    queries, queue = MemoryJobQueries(), StillQueue()
    for number in (0, 1, 2):
        job = make(world, number)
        queries.add(job)
        queue.places[job.job_id] = Place(3 - number, starts_in=0.2)
        if number:
            world.tracking.join_queue(job.job_id, "token", START, START + timedelta(hours=1))
    starts = "2026-03-01T12:00:01.000Z"
    found = page(world, queries, queue=queue)["jobs"]
    told = [(job["queuePosition"], job["estimatedStart"]) for job in found]
    assert told == [(1, starts), (2, starts), (None, None)], "one of them does not wait"


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_cover_everything_once(world: World, limit: int) -> None:
    queries = MemoryJobQueries()
    jobs = [make_job(f"job-{n}", START + timedelta(seconds=n // 2)) for n in range(7)]
    for job in jobs:
        queries.add(job, JobStatus.SUCCEEDED)
    seen: list[str] = []
    cursor = None
    for _ in range(10):
        answer = page(world, queries, limit=limit, after=cursor)
        seen += ids(answer)
        cursor = answer["nextCursor"]
        if cursor is None:
            break
        assert len(answer["jobs"]) == limit
    assert seen == [row.position.job_id for row in queries.rows]


def test_a_live_status_is_looked_for_over_several_reads(world: World) -> None:
    queries = MemoryJobQueries()
    wanted = [make(world, n, JobStatus.STORING) for n in (0, 1)]
    for job in wanted:
        queries.add(job)
    for number in range(2, 7):
        queries.add(make(world, number, JobStatus.PROCESSING))
    answer = page(world, queries, status=JobStatus.STORING, limit=2)
    assert ids(answer) == [job.job_id for job in reversed(wanted)]
    assert queries.reads == 4
    assert answer["nextCursor"] is None


def test_the_search_for_a_live_status_ends_with_a_cursor(world: World) -> None:
    queries = MemoryJobQueries()
    for number in range(12):
        queries.add(make(world, number, JobStatus.PROCESSING))
    answer = page(world, queries, status=JobStatus.STORING, limit=2)
    assert (ids(answer), queries.reads) == ([], 4)
    assert (
        Position.parse(answer["nextCursor"], JobFilter(status=JobStatus.STORING))
        == queries.rows[7].position
    )


def test_a_page_that_fills_in_its_middle_goes_on_there(world: World) -> None:
    queries = MemoryJobQueries()
    states = [JobStatus.STORING, JobStatus.PROCESSING, JobStatus.STORING, JobStatus.STORING]
    jobs = [make(world, n, state) for n, state in enumerate(states)]
    for job in jobs:
        queries.add(job)
    first = page(world, queries, status=JobStatus.STORING, limit=2)
    assert ids(first) == [jobs[3].job_id, jobs[2].job_id]
    second = page(world, queries, status=JobStatus.STORING, limit=2, after=first["nextCursor"])
    assert ids(second) == [jobs[0].job_id]
    assert second["nextCursor"] is None


def told(world: World, queries: MemoryJobQueries, who: Caller = BACK_END) -> dict[str, Any]:
    return GetTimeline(world.tracking, queries, SteppedClock())(world.job.job_id, who)


def test_the_timeline_of_a_running_job_is_its_live_items(world: World) -> None:
    answer = told(world, MemoryJobQueries())
    assert (answer["status"], answer["completedAt"]) == ("pending", None)
    assert [event["name"] for event in answer["events"]] == ["created"]


def test_the_timeline_of_an_ended_job_is_postgresqls(world: World) -> None:
    queries = MemoryJobQueries()
    end = FinishedJob(world.job, JobStatus.CANCELED, START + timedelta(seconds=3))
    world.tracking.finish(end, finished_document(end))
    with pytest.raises(JobNotFound):
        told(world, queries)
    record = JobRecord(
        world.job.job_id, world.job.user_id, JobStatus.CANCELED, START, end.completed_at,
        world.job.estimated_cost,
    )  # fmt: skip
    arn = "arn:aws:states:us-east-1:123456789012:execution:media-job:one"
    queries.records[world.job.job_id] = replace(record, execution_arn=arn)
    answer = told(world, queries)
    assert answer["wallTime"] == 3.0
    assert answer["executionUrl"].endswith(arn)
    user = Caller(subject=world.job.user_id)
    assert "executionUrl" not in told(world, queries, user), "an account is its operators' concern"
    queries.records[world.job.job_id] = replace(record, user_id="another")
    with pytest.raises(JobNotFound):
        told(world, queries, Caller(named=world.job.user_id))


def test_a_timeline_is_its_users_alone(world: World) -> None:
    assert told(world, MemoryJobQueries(), Caller(subject=world.job.user_id))
    with pytest.raises(JobNotFound):
        told(world, MemoryJobQueries(), Caller(subject="stranger"))
    with pytest.raises(JobNotFound):
        GetTimeline(world.tracking, MemoryJobQueries(), world.clock)("nonsense", BACK_END)


def test_a_running_job_is_listed_with_what_was_asked(world: World) -> None:
    queries = MemoryJobQueries()
    job = make(world, 1, JobStatus.PROCESSING)
    row = status_document(
        job, JobStatus.PENDING, job.created_at, asked=asked_document(job.parameters, {"order": "7"})
    )
    queries.rows.append(ListedJob(Position(job.created_at, job.job_id), row))
    (shown,) = page(world, queries)["jobs"]
    assert (shown["status"], shown["userId"]) == ("processing", job.user_id)
    assert (shown["prompt"], shown["metadata"]) == ("a lighthouse", {"order": "7"})
