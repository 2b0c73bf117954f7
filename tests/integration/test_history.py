"""The reading API's questions against a real PostgreSQL."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.support.jobs import make_asset, make_job
from tests.support.outside import START
from vsl.adapters.postgres import PostgresAccounting
from vsl.adapters.postgres_history import PostgresHistory
from vsl.domain.errors import InternalError
from vsl.domain.job import FinishedJob, Job, JobEvent, JobStatus, MediaType, WebhookReceipt
from vsl.domain.job_list import JobFilter, Position
from vsl.domain.status import finished_document

pytestmark = pytest.mark.integration


@pytest.fixture
def accounting(postgres_url: str) -> Iterator[PostgresAccounting]:
    store = PostgresAccounting(lambda: postgres_url)
    yield store
    store.close()


@pytest.fixture
def history(postgres_url: str) -> Iterator[PostgresHistory]:
    store = PostgresHistory(lambda: postgres_url)
    yield store
    store.close()


def at(seconds: float) -> Any:
    return START + timedelta(seconds=seconds)


def ended(job: Job, status: JobStatus, **more: Any) -> FinishedJob:
    if status is JobStatus.FAILED:
        more |= {"error_code": "PredictionFailed", "error_message": "out of memory"}
    return FinishedJob(job, status, job.created_at + timedelta(seconds=5), **more)


def fill(accounting: PostgresAccounting) -> dict[str, Job]:
    """Two users' jobs; `twin` has the very time of `late`, to the microsecond."""
    jobs = {
        "old": make_job("old", at(0)),
        "video": make_job("video", at(10), media_type=MediaType.VIDEO, model_id="minimax-video-01"),
        "other": make_job("other", at(15), user_id="user-2"),
        "late": make_job("late", at(20.000123)),
        "twin": make_job("twin", at(20.000123)),
        "running": make_job("running", at(30)),
    }
    for job in jobs.values():
        accounting.create_job(job, None)
    accounting.finish_job(ended(jobs["old"], JobStatus.SUCCEEDED, assets=(make_asset(),)))
    accounting.finish_job(ended(jobs["video"], JobStatus.FAILED))
    accounting.finish_job(ended(jobs["other"], JobStatus.SUCCEEDED))
    accounting.finish_job(ended(jobs["late"], JobStatus.SUCCEEDED))
    accounting.finish_job(ended(jobs["twin"], JobStatus.CANCELED))
    return jobs


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (JobFilter(), {"old", "video", "other", "late", "twin", "running"}),
        (JobFilter("user-2"), {"other"}),
        (JobFilter("nobody"), set()),
        (JobFilter(status=JobStatus.SUCCEEDED), {"old", "other", "late"}),
        (JobFilter(status=JobStatus.FAILED), {"video"}),
        (JobFilter(status=JobStatus.PENDING), {"running"}),
        (JobFilter(status=JobStatus.STORING), {"running"}),
        (JobFilter(media_type=MediaType.VIDEO), {"video"}),
        (JobFilter("user-1", model_id="flux-schnell"), {"old", "late", "twin", "running"}),
        (JobFilter(created_after=at(10), created_before=at(20)), {"video", "other"}),
        (JobFilter(created_after=at(30)), {"running"}),
    ],
)
def test_each_filter(
    accounting: PostgresAccounting, history: PostgresHistory, wanted: JobFilter, names: set[str]
) -> None:
    jobs = fill(accounting)
    found = history.list_jobs(wanted, None, 100)
    by_id = {job.job_id: name for name, job in jobs.items()}
    assert {by_id[row.position.job_id] for row in found} == names
    times = [(row.position.created_at, row.position.job_id) for row in found]
    assert times == sorted(times, reverse=True)


def test_a_page_ends_between_jobs_of_the_same_moment(
    accounting: PostgresAccounting, history: PostgresHistory
) -> None:
    jobs = fill(accounting)
    seen: list[str] = []
    position: Position | None = None
    for _ in jobs:
        (row,) = history.list_jobs(JobFilter(), position, 1)
        position = Position.parse(row.position.cursor())
        seen.append(row.position.job_id)
    assert sorted(seen) == sorted(job.job_id for job in jobs.values())
    assert history.list_jobs(JobFilter(), position, 1) == []


def test_a_listed_job_is_the_document_of_its_end(
    accounting: PostgresAccounting, history: PostgresHistory
) -> None:
    end = ended(make_job(), JobStatus.SUCCEEDED, assets=(make_asset(0), make_asset(1)))
    accounting.finish_job(end)
    (row,) = history.list_jobs(JobFilter(), None, 5)
    assert row.document == finished_document(end)


def test_the_record_is_what_was_marked(
    accounting: PostgresAccounting, history: PostgresHistory
) -> None:
    job = make_job()
    assert history.record(job.job_id) is None
    marks = (
        JobEvent("created", job.created_at),
        JobEvent("outcome_recorded", at(3.25), "webhook", {"status": "succeeded"}),
    )
    receipt = WebhookReceipt("msg_1", "p1", "succeeded", at(3.125))
    accounting.finish_job(ended(job, JobStatus.SUCCEEDED, events=marks[::-1], webhooks=(receipt,)))
    record = history.record(job.job_id)
    assert record is not None
    assert (record.user_id, record.status) == (job.user_id, JobStatus.SUCCEEDED)
    assert (record.created_at, record.completed_at) == (job.created_at, at(5))
    assert (record.events, record.webhooks) == (marks, (receipt,))


def test_of_an_erased_job_only_the_accounting_stays(
    accounting: PostgresAccounting, history: PostgresHistory, postgres_url: str
) -> None:
    job = make_job(callback_url="https://client.example/of/somebody")
    accounting.create_job(job, "arn:execution")
    event = JobEvent("failed", at(5), "workflow", {"code": "the detail"})
    end = ended(
        job, JobStatus.FAILED, assets=(make_asset(),), events=(event,), logs="a lighthouse",
        actual_cost=Decimal("0.003"), replicate_id="rep-1",
    )  # fmt: skip
    accounting.finish_job(end)
    kept = accounting.recent_jobs(job.user_id, at(-60))
    history.erase(job.job_id, at(60))
    history.erase(job.job_id, at(90))
    assert accounting.status(job.job_id) is None
    assert history.record(job.job_id) is None
    assert history.parameters(job.job_id) is None
    assert history.list_jobs(JobFilter(), None, 10) == []
    assert accounting.finish_job(end) is None, "a late repetition of the end brings nothing back"
    assert accounting.create_job(job, "arn:late") is False
    assert accounting.recent_jobs(job.user_id, at(-60)) == kept
    with psycopg.connect(postgres_url) as sql:
        text = " ".join(
            str(row)
            for table in ("jobs", "media_assets", "job_events")
            for row in sql.execute(f"SELECT * FROM {table}")
        )
        usage = sql.execute("SELECT user_id, model_id, jobs, failed, cost FROM usage_by_user_day")
        assert usage.fetchall() == [(job.user_id, job.model_id, 1, 1, Decimal("0.003000"))]
        marks = sql.execute("SELECT deleted_at, replicate_id FROM jobs").fetchall()
        assert marks == [(at(60), "rep-1")]
    for personal in (
        "lighthouse",
        "out of memory",
        "media/",
        "the detail",
        "arn:",
        "client.example",
    ):
        assert personal not in text


def test_a_running_job_cannot_be_erased(
    accounting: PostgresAccounting, history: PostgresHistory
) -> None:
    job = make_job()
    accounting.create_job(job, None)
    with pytest.raises(InternalError):
        history.erase(job.job_id, at(60))
    assert history.parameters(job.job_id) == job.parameters
