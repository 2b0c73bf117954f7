"""The reading API's questions against a real PostgreSQL."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.support.fakes import START
from tests.support.jobs import make_asset, make_job
from vsl.adapters.postgres.connection import PostgresConnection
from vsl.adapters.postgres.erasure import PostgresErasure
from vsl.adapters.postgres.job_queries import PostgresJobQueries
from vsl.adapters.postgres.job_repository import PostgresJobRepository
from vsl.domain.api.job_list import JobFilter, Position
from vsl.domain.errors import InternalError, JobDeleted
from vsl.domain.jobs.ids import new_job_id
from vsl.domain.jobs.job import FinishedJob, Job, JobEvent, JobStatus, MediaType, WebhookReceipt
from vsl.domain.jobs.object_keys import JobPlace
from vsl.domain.jobs.status import finished_document
from vsl.domain.money.amounts import plain

pytestmark = pytest.mark.integration


@pytest.fixture
def repository(connection: PostgresConnection) -> PostgresJobRepository:
    return PostgresJobRepository(connection)


@pytest.fixture
def queries(connection: PostgresConnection) -> PostgresJobQueries:
    return PostgresJobQueries(connection)


@pytest.fixture
def erasure(connection: PostgresConnection) -> PostgresErasure:
    return PostgresErasure(connection)


SEA = {"prompt": "Das Meer, in voller Größe: it's all waves & Wellen"}


def at(seconds: float) -> Any:
    return START + timedelta(seconds=seconds)


def ended(job: Job, status: JobStatus, **more: Any) -> FinishedJob:
    if status is JobStatus.FAILED:
        more |= {"error_code": "PredictionFailed", "error_message": "out of memory"}
    return FinishedJob(job, status, job.created_at + timedelta(seconds=5), **more)


def fill(repository: PostgresJobRepository) -> dict[str, Job]:
    """Two users' jobs; `twin` has the very time of `late`, to the microsecond."""
    jobs = {
        "old": make_job("old", at(0)),
        "video": make_job("video", at(10), media_type=MediaType.VIDEO, model_id="minimax-video-01"),
        "other": make_job("other", at(15), user_id="user-2"),
        "late": make_job(
            "late", at(20.000123), metadata={"order": "17", "shop": "b"}, parameters=SEA
        ),
        "twin": make_job("twin", at(20.000123)),
        "running": make_job("running", at(30)),
    }
    for job in jobs.values():
        repository.create_job(job, None)
    repository.finish_job(ended(jobs["old"], JobStatus.SUCCEEDED, assets=(make_asset(),)))
    repository.finish_job(ended(jobs["video"], JobStatus.FAILED))
    repository.finish_job(ended(jobs["other"], JobStatus.SUCCEEDED))
    repository.finish_job(ended(jobs["late"], JobStatus.SUCCEEDED))
    repository.finish_job(ended(jobs["twin"], JobStatus.CANCELED))
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
        (JobFilter(metadata=(("order", "17"),)), {"late"}),
        (JobFilter(metadata=(("order", "17"), ("shop", "b"))), {"late"}),
        (JobFilter(metadata=(("order", "17"), ("shop", "c"))), set()),
        (JobFilter(words="Größe Meer"), {"late"}),
        (JobFilter(words="meer wel"), {"late"}),
        (JobFilter(words="lighth"), {"old", "video", "other", "twin", "running"}),
        (JobFilter(words="light lighth"), set()),
        (JobFilter(words="it's"), {"late"}),
        (JobFilter(words="& | ! :*"), set()),
    ],
)
def test_each_filter(
    repository: PostgresJobRepository,
    queries: PostgresJobQueries,
    wanted: JobFilter,
    names: set[str],
) -> None:
    jobs = fill(repository)
    found = queries.list_jobs(wanted, None, 100)
    by_id = {job.job_id: name for name, job in jobs.items()}
    assert {by_id[row.position.job_id] for row in found} == names
    times = [(row.position.created_at, row.position.job_id) for row in found]
    assert times == sorted(times, reverse=True)


def test_a_page_ends_between_jobs_of_the_same_moment(
    repository: PostgresJobRepository, queries: PostgresJobQueries
) -> None:
    jobs = fill(repository)
    seen: list[str] = []
    position: Position | None = None
    for _ in jobs:
        (row,) = queries.list_jobs(JobFilter(), position, 1)
        position = Position.parse(row.position.cursor(JobFilter()), JobFilter())
        seen.append(row.position.job_id)
    assert sorted(seen) == sorted(job.job_id for job in jobs.values())
    assert queries.list_jobs(JobFilter(), position, 1) == []


def test_a_listed_job_is_the_document_of_its_end(
    repository: PostgresJobRepository, queries: PostgresJobQueries
) -> None:
    end = ended(make_job(), JobStatus.SUCCEEDED, assets=(make_asset(0), make_asset(1)))
    repository.finish_job(end)
    (row,) = queries.list_jobs(JobFilter(), None, 5)
    assert row.document == finished_document(end)


def test_the_record_is_what_was_marked(
    repository: PostgresJobRepository, queries: PostgresJobQueries
) -> None:
    job = make_job()
    assert queries.record(job.job_id) is None
    marks = (
        JobEvent("created", job.created_at),
        JobEvent("outcome_recorded", at(3.25), "webhook", {"status": "succeeded"}),
    )
    receipt = WebhookReceipt("msg_1", "p1", "succeeded", at(3.125))
    repository.finish_job(ended(job, JobStatus.SUCCEEDED, events=marks[::-1], webhooks=(receipt,)))
    record = queries.record(job.job_id)
    assert record is not None
    assert (record.user_id, record.status) == (job.user_id, JobStatus.SUCCEEDED)
    assert (record.created_at, record.completed_at) == (job.created_at, at(5))
    assert (record.events, record.webhooks) == (marks, (receipt,))


def test_the_users_money_stands_in_the_course_of_a_job(
    repository: PostgresJobRepository, queries: PostgresJobQueries
) -> None:
    job = make_job()
    repository.create_job(job, "arn:execution")
    # Canceled while the prediction ran: what it cost is not known yet.
    repository.finish_job(ended(job, JobStatus.CANCELED, replicate_id="rep-1", settled=False))
    record = queries.record(job.job_id)
    assert record is not None
    assert (record.estimated_cost, record.held_cost, record.actual_cost) == (
        job.estimated_cost, job.hold, None,
    )  # fmt: skip
    repository.settle_prediction(job.job_id, "rep-1", job.hold + 1, None, None)
    record = queries.record(job.job_id)
    assert record is not None
    assert (record.held_cost, record.actual_cost) == (None, job.hold + 1)
    told = [(it.name, it.source, it.detail["amount"]) for it in record.movements]
    amount = str(plain(job.hold))
    assert told == [("hold", "money", amount), ("charge", "money", amount)], (
        "not what the stage paid"
    )


def test_of_an_erased_job_only_the_accounting_stays(
    repository: PostgresJobRepository,
    queries: PostgresJobQueries,
    erasure: PostgresErasure,
    postgres_url: str,
) -> None:
    job = make_job(callback_url="https://client.example/of/somebody")
    repository.create_job(job, "arn:execution")
    event = JobEvent("failed", at(5), "workflow", {"code": "the detail"})
    end = ended(
        job, JobStatus.FAILED, assets=(make_asset(),), events=(event,), logs="a lighthouse",
        actual_cost=Decimal("0.003"), replicate_id="rep-1",
    )  # fmt: skip
    repository.finish_job(end)
    kept = repository.recent_jobs(job.user_id, at(-60))
    assert erasure.erased(job.job_id) is None
    for seconds in (60, 90):
        erasure.erase(job.job_id, at(seconds))
        assert erasure.erased(job.job_id) == JobPlace.of(job)
    assert repository.status(job.job_id) is None
    assert queries.record(job.job_id) is None
    assert repository.parameters(job.job_id) is None
    assert queries.list_jobs(JobFilter(), None, 10) == []
    assert repository.finish_job(end) is None, "a late repetition of the end brings nothing back"
    with pytest.raises(JobDeleted):
        repository.create_job(job, "arn:late")
    assert repository.recent_jobs(job.user_id, at(-60)) == kept
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
    repository: PostgresJobRepository, erasure: PostgresErasure
) -> None:
    job = make_job()
    repository.create_job(job, None)
    with pytest.raises(InternalError):
        erasure.erase(job.job_id, at(60))
    assert repository.parameters(job.job_id) == job.parameters


def test_an_upload_is_in_use_while_another_job_of_the_user_names_it(
    repository: PostgresJobRepository, erasure: PostgresErasure
) -> None:
    upload = new_job_id(at(-60), "upload")
    given = {"image": f"upload:{upload}", "prompt": "a mill"}
    jobs = [make_job(seed, at(0), parameters=given) for seed in ("one", "two")]
    jobs.append(make_job("stranger", at(0), user_id="user-2", parameters=given))
    for job in jobs:
        repository.create_job(job, None)
        repository.finish_job(ended(job, JobStatus.SUCCEEDED))
    one, two, _ = jobs
    assert erasure.uses_upload("user-1", upload, besides=one.job_id)
    assert not erasure.uses_upload("user-1", new_job_id(at(-60), "other"), besides=one.job_id)
    erasure.erase(two.job_id, at(60))
    assert not erasure.uses_upload("user-1", upload, besides=one.job_id)


def test_a_repeated_end_does_not_put_back_what_is_being_erased(
    repository: PostgresJobRepository, erasure: PostgresErasure, postgres_url: str
) -> None:
    """The one who erases waits for the end that was first, or the end finds the job erased."""
    job = make_job()
    end = ended(job, JobStatus.SUCCEEDED, assets=(make_asset(),))
    repository.create_job(job, None)
    repository.finish_job(end)
    with (
        ThreadPoolExecutor(1) as threads,
        psycopg.connect(postgres_url) as eraser,
        psycopg.connect(postgres_url, autocommit=True) as observer,
    ):
        eraser.execute("UPDATE jobs SET deleted_at = now() WHERE deleted_at IS NULL")
        repeated = threads.submit(repository.finish_job, end)
        while not observer.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
            time.sleep(0.01)
        eraser.execute("DELETE FROM media_assets")
        eraser.commit()
        assert repeated.result() is None
        assert observer.execute("SELECT count(*) FROM media_assets").fetchone() == (0,)
