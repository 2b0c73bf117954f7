"""The accounting against a real PostgreSQL: idempotent, final, exact."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import errors

from tests.support.fakes import START
from tests.support.jobs import make_job
from vsl.adapters.postgres.budgets import PostgresBudgets
from vsl.adapters.postgres.connection import PostgresConnection
from vsl.adapters.postgres.job_queries import PostgresJobQueries
from vsl.adapters.postgres.job_repository import PostgresJobRepository
from vsl.domain.api.limits import RecentJob, UserLimits
from vsl.domain.errors import InternalError, UnpricedModel
from vsl.domain.jobs.ids import new_job_id
from vsl.domain.jobs.job import (
    FinishedJob,
    JobEvent,
    JobStatus,
    MediaAsset,
    MediaType,
    OrphanedPrediction,
    WebhookReceipt,
)
from vsl.domain.jobs.status import finished_document
from vsl.domain.jobs.timeline import timeline
from vsl.domain.money.budgets import BudgetDefaults
from vsl.services.ports.jobs import Creation

pytestmark = pytest.mark.integration

ASSET = MediaAsset(
    index=0,
    s3_key="media/user-1/video/2026/03/01/x/0-out.mp4",
    content_type="video/mp4",
    file_size=3 * 1024**3,
    sha256="ab" * 32,
    thumbnail_key="thumbnails/user-1/video/2026/03/01/x/0-out.webp",
    width=1024,
    height=576,
    duration=4.166666666666667,
    fps=23.976023976023978,
    codec="h264",
)
BARE_ASSET = MediaAsset(1, "media/x/1-b.bin", "application/octet-stream", 7, "0" * 64)


@pytest.fixture
def repository(connection: PostgresConnection) -> PostgresJobRepository:
    return PostgresJobRepository(connection)


@pytest.fixture
def sql(postgres_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


def succeeded(**changes: Any) -> FinishedJob:
    values: dict[str, Any] = {
        "job": make_job(),
        "status": JobStatus.SUCCEEDED,
        "completed_at": START + timedelta(seconds=9, milliseconds=123),
        "replicate_id": "rep-1",
        "attempt": 1,
        "assets": (ASSET, BARE_ASSET),
        "actual_cost": Decimal("0.0029"),
        "predict_time": 0.512,
        "total_time": 0.75,
        "logs": "100%|██████████| 4/4\n",
        "events": (
            JobEvent("created", START),
            JobEvent("succeeded", START + timedelta(seconds=9), "webhook", {"attempt": 1}),
        ),
        "webhooks": (WebhookReceipt("msg_1", "rep-1", "succeeded", START),),
    }
    return FinishedJob(**(values | changes))


def failed(**changes: Any) -> FinishedJob:
    return replace(
        succeeded(assets=(), actual_cost=Decimal(0)),
        status=JobStatus.FAILED,
        error_code="PredictionFailed",
        error_message="out of memory",
        **changes,
    )


def count(sql: psycopg.Connection, table: str) -> int:
    row = sql.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])


def test_a_job_is_pending_once_created_and_a_second_call_changes_nothing(
    repository: PostgresJobRepository, sql: psycopg.Connection
) -> None:
    job = make_job(parameters={"prompt": "naïve 🌊 'quotes' \\ \n", "seed": 7, "deep": [1, None]})
    repository.create_job(job, "arn:first")
    repository.create_job(replace(job, model_id="other"), "arn:second")
    document = repository.status(job.job_id)
    assert document is not None
    assert (document["status"], document["modelId"]) == ("pending", "flux-schnell")
    assert (document["createdAt"], document["completedAt"]) == ("2026-03-01T12:00:00.000Z", None)
    row = sql.execute("SELECT execution_arn, parameters FROM jobs").fetchone()
    assert row == ("arn:first", job.parameters)


def test_jobs_past_their_deadline_are_found_as_they_were_written(
    repository: PostgresJobRepository,
) -> None:
    short = make_job("short", callback_url="https://client.example/", timeout_seconds=60)
    usual, ended = make_job("usual", START - timedelta(seconds=1)), succeeded().job
    for job in (short, usual, ended):
        repository.create_job(job, None)
    repository.finish_job(succeeded())
    moment = timedelta(milliseconds=1)
    assert repository.overdue(short.deadline, 10) == []
    assert repository.overdue(short.deadline + moment, 10) == [short]
    assert repository.overdue(usual.deadline + moment, 10) == [usual, short]
    assert repository.overdue(usual.deadline + moment, 1) == [usual]


def test_an_unknown_job_has_no_status(repository: PostgresJobRepository) -> None:
    assert repository.status(new_job_id(START, "nobody")) is None
    assert repository.status("not a job id; DROP TABLE jobs") is None


@pytest.mark.parametrize("end", [succeeded(), failed()], ids=["succeeded", "failed"])
def test_the_status_read_back_is_the_document_that_was_cached(
    repository: PostgresJobRepository, end: FinishedJob
) -> None:
    repository.create_job(end.job, "arn:1")
    assert repository.finish_job(end)
    assert repository.status(end.job.job_id) == finished_document(end)


@pytest.mark.parametrize("amount", ["0", "0.000001", "10", "0.15", "123456.654321"])
def test_money_keeps_its_exact_value_and_its_plain_text(
    repository: PostgresJobRepository, amount: str
) -> None:
    job = make_job(estimated_cost=Decimal(amount))
    repository.finish_job(succeeded(job=job, actual_cost=Decimal(amount)))
    document = repository.status(job.job_id)
    assert document is not None
    assert (document["estimatedCost"], document["actualCost"]) == (amount, amount)


def test_finishing_inserts_a_job_that_never_was(repository: PostgresJobRepository) -> None:
    assert repository.finish_job(failed())
    document = repository.status(make_job().job_id)
    assert document is not None
    assert document["error"] == {
        "code": "PredictionFailed", "message": "out of memory", "detail": None,
    }  # fmt: skip


def test_an_exact_repetition_is_success_and_writes_nothing_twice(
    repository: PostgresJobRepository, sql: psycopg.Connection
) -> None:
    assert repository.finish_job(succeeded())
    before = repository.status(make_job().job_id)
    assert repository.finish_job(succeeded())
    assert repository.status(make_job().job_id) == before
    tables = ("jobs", "media_assets", "job_events", "webhook_events")
    assert [count(sql, table) for table in tables] == [1, 2, 2, 1]


def test_terminal_is_final(repository: PostgresJobRepository, sql: psycopg.Connection) -> None:
    assert repository.finish_job(failed())
    assert not repository.finish_job(succeeded())
    document = repository.status(make_job().job_id)
    assert document is not None
    assert (document["status"], document["assets"]) == ("failed", [])
    assert count(sql, "media_assets") == 0


def test_of_two_ends_at_once_one_wins_whole(
    postgres_url: str, repository: PostgresJobRepository, sql: psycopg.Connection
) -> None:
    another = PostgresConnection(lambda: postgres_url)
    rival = PostgresJobRepository(another)
    with ThreadPoolExecutor(2) as threads:
        for number in range(20):
            job = make_job(f"race-{number}")
            ends = (
                succeeded(job=job, replicate_id=f"rep-{number}"),
                failed(job=job, replicate_id=f"rep-{number}"),
            )
            written = list(
                threads.map(
                    lambda pair: pair[0].finish_job(pair[1]),
                    zip((repository, rival), ends, strict=True),
                )
            )
            (winner,) = [end for end, document in zip(ends, written, strict=True) if document]
            assert repository.status(job.job_id) == finished_document(winner)
            assert finished_document(winner) in written
    another.close()
    assert count(sql, "jobs") == 20


def test_a_write_that_fails_half_way_leaves_nothing(
    repository: PostgresJobRepository, sql: psycopg.Connection
) -> None:
    with pytest.raises(InternalError, match="media_assets_sha256_check"):
        repository.finish_job(succeeded(assets=(ASSET, replace(BARE_ASSET, sha256="short"))))
    assert count(sql, "jobs") == 0
    assert repository.finish_job(succeeded())


def test_text_that_postgresql_cannot_hold_is_stored_all_the_same(
    repository: PostgresJobRepository, sql: psycopg.Connection
) -> None:
    parameters = {"prompt": "a\0b\ud800c", "weight": float("nan"), "list": [float("inf"), 0.5]}
    end = replace(failed(job=make_job(parameters=parameters)), error_message="nul \0 inside")
    assert repository.finish_job(end)
    row = sql.execute("SELECT parameters, error_message FROM jobs").fetchone()
    expected = {"prompt": "a\ufffdb?c", "weight": None, "list": [None, 0.5]}
    assert row == (expected, "nul \ufffd inside")


def test_recent_jobs_are_those_of_the_user_in_order_without_refused_ones(
    repository: PostgresJobRepository,
) -> None:
    times = [START + timedelta(minutes=minute) for minute in (50, 10, 30)]
    for at in times:
        repository.create_job(make_job("mine", at), None)
    repository.create_job(make_job("other", START, user_id="user-2"), None)
    repository.create_job(make_job("on the edge", START), None)
    for number, code in enumerate(("RateLimitExceeded", "TooManyJobs", "QueueFull")):
        refused = make_job(f"refused-{number}", START + timedelta(minutes=40))
        repository.finish_job(replace(failed(job=refused, replicate_id=None), error_code=code))
    ended = make_job("mine", times[0])
    repository.finish_job(failed(job=ended))
    expected = [
        RecentJob(job.job_id, job.created_at, None if job.job_id == ended.job_id else job.deadline)
        for job in (make_job("mine", at) for at in sorted(times))
    ]
    assert repository.recent_jobs("user-1", START) == expected
    assert repository.recent_jobs("nobody", START) == []


def test_a_user_may_have_a_limit_of_their_own(
    repository: PostgresJobRepository, sql: psycopg.Connection
) -> None:
    assert repository.user_limits("user-1") == UserLimits()
    sql.execute("INSERT INTO user_limits (user_id, jobs_per_hour) VALUES ('user-1', 0)")
    assert repository.user_limits("user-1") == UserLimits(per_hour=0)
    sql.execute("UPDATE user_limits SET jobs_per_hour = NULL, concurrent_jobs = 3")
    assert repository.user_limits("user-1") == UserLimits(concurrent=3)


def test_a_new_job_has_the_weight_of_its_user(
    repository: PostgresJobRepository, sql: psycopg.Connection
) -> None:
    assert repository.create_job(make_job("before"), None).weight == 1
    sql.execute("INSERT INTO user_limits (user_id) VALUES ('user-1')")
    assert repository.create_job(make_job("no weight"), None).weight == 1
    sql.execute("UPDATE user_limits SET weight = 3")
    for new in (True, False):  # a repeated call has to know it again
        assert repository.create_job(make_job("heavy"), None) == Creation(new=new, weight=3)
    assert repository.create_job(make_job("other", user_id="user-2"), None).weight == 1
    with pytest.raises(psycopg.errors.CheckViolation):
        sql.execute("UPDATE user_limits SET weight = 0")


def test_a_model_without_a_price_runs_for_those_who_may(
    connection: PostgresConnection, sql: psycopg.Connection
) -> None:
    refusing = PostgresJobRepository(connection)
    allowing = PostgresJobRepository(connection, BudgetDefaults(unpriced=True))
    job = make_job("unpriced", estimated_cost=None)
    with pytest.raises(UnpricedModel):
        refusing.create_job(job, None)
    assert refusing.status(job.job_id) is None
    assert sql.execute("SELECT count(*) FROM holds").fetchone() == (0,)

    assert allowing.create_job(job, None).new
    document = allowing.status(job.job_id)
    assert document is not None
    assert (document["estimatedCost"], document["heldCost"]) == (None, "0")
    record = PostgresJobQueries(connection).record(job.job_id)
    assert record is not None
    assert record.estimated_cost is None
    assert record.held_cost == 0
    assert timeline(record, datetime.now(UTC))["estimatedCost"] is None
    # Admitted, it stays so, whatever is allowed by now.
    assert not refusing.create_job(job, None).new

    end = succeeded(job=job, actual_cost=None)
    written = allowing.finish_job(end)
    assert written is not None
    assert (written["actualCost"], written["estimatedCost"]) == (None, None)
    settled = sql.execute("SELECT amount, charged, overrun, settled_at IS NOT NULL FROM holds")
    assert settled.fetchall() == [(0, 0, 0, True)]
    assert sql.execute("SELECT count(*) FROM ledger").fetchone() == (0,)
    usage = sql.execute("SELECT cost, estimated_cost FROM usage_by_user_day").fetchall()
    assert usage == [(0, 0)]

    # A user's own row goes before the deployment's choice, in both directions.
    for number, (repository, own) in enumerate([(refusing, True), (allowing, False)]):
        user = f"user-{number + 7}"
        sql.execute(
            "INSERT INTO user_limits (user_id, unpriced_models) VALUES (%s, %s)", [user, own]
        )
        asked = make_job(f"own-{number}", estimated_cost=None, user_id=user)
        budgets = PostgresBudgets(connection, BudgetDefaults(unpriced=not own))
        assert budgets.admits_unpriced(user) is own
        if own:
            assert repository.create_job(asked, None).new
        else:
            with pytest.raises(UnpricedModel):
                repository.create_job(asked, None)
    assert not PostgresBudgets(connection).admits_unpriced("user-1")


def test_the_schema_knows_every_status_and_media_type(repository: PostgresJobRepository) -> None:
    for number, media_type in enumerate(MediaType):
        repository.create_job(make_job(f"m{number}", media_type=media_type), None)
    for number, status in enumerate(status for status in JobStatus if status.terminal):
        code = None if status is JobStatus.SUCCEEDED else "PredictionCanceled"
        end = succeeded(job=make_job(f"s{number}"), status=status, error_code=code)
        assert repository.finish_job(replace(end, replicate_id=f"rep-s{number}"))


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE jobs SET status = 'failed', error_code = 'X'", "status is final"),
        ("UPDATE jobs SET status = 'pending', completed_at = NULL", "status is final"),
        ("UPDATE jobs SET created_at = now()", "never change"),
        ("UPDATE jobs SET user_id = 'thief'", "never change"),
    ],
)
def test_the_database_itself_refuses_to_rewrite_history(
    repository: PostgresJobRepository, sql: psycopg.Connection, statement: str, message: str
) -> None:
    repository.finish_job(succeeded())
    with pytest.raises(errors.IntegrityConstraintViolation, match=message):
        sql.execute(statement.encode())


def test_updated_at_follows_changes_and_nothing_else(
    repository: PostgresJobRepository, sql: psycopg.Connection
) -> None:
    repository.create_job(make_job(), None)
    query = "SELECT updated_at FROM jobs"
    created = sql.execute(query).fetchone()
    sql.execute("UPDATE jobs SET status = 'processing', updated_at = '2000-01-01'")
    changed = sql.execute(query).fetchone()
    assert created is not None
    assert changed is not None
    assert created[0] < changed[0] <= datetime.now(UTC) + timedelta(seconds=1)


def test_usage_and_performance_add_up(
    repository: PostgresJobRepository, sql: psycopg.Connection
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    for number, seconds in enumerate((2, 4, 6, 8, 10)):
        job = make_job(f"good-{number}", now, estimated_cost=Decimal("0.003"))
        end = succeeded(job=job, completed_at=now + timedelta(seconds=seconds))
        repository.finish_job(replace(end, replicate_id=f"g{number}", actual_cost=Decimal("0.002")))
    repository.finish_job(failed(job=make_job("bad", now), completed_at=now, replicate_id="b"))
    repository.create_job(make_job("open", now), None)
    old = make_job("old", now - timedelta(days=40))
    repository.finish_job(succeeded(job=old, completed_at=now, replicate_id="o"))

    usage = sql.execute(
        "SELECT jobs, succeeded, failed, canceled, cost, estimated_cost FROM usage_by_user_day"
        " WHERE user_id = 'user-1' AND day = %s AND model_id = 'flux-schnell'",
        (now.date(),),
    ).fetchall()
    assert usage == [(7, 5, 1, 0, Decimal("0.010"), Decimal("0.021"))]
    performance = sql.execute(
        "SELECT jobs, succeeded, failed, success_rate, p50_seconds, p95_seconds,"
        " estimated_seconds, actual_cost FROM model_performance"
    ).fetchall()
    [(jobs, good, bad, rate, median, slow, estimated, cost)] = performance
    assert (jobs, good, bad, median, estimated) == (6, 5, 1, 6.0, 5.0)
    assert rate == pytest.approx(5 / 6)
    assert slow == pytest.approx(9.6)
    assert cost == Decimal("0.002")


def test_a_re_run_is_told_what_the_first_run_wrote(repository: PostgresJobRepository) -> None:
    first = succeeded()
    later = replace(first, completed_at=first.completed_at + timedelta(seconds=30))
    assert repository.finish_job(first) == repository.finish_job(later) == finished_document(first)


def test_an_orphan_is_recorded_once_and_its_cost_when_it_is_known(
    repository: PostgresJobRepository, sql: psycopg.Connection
) -> None:
    end = succeeded()
    found = OrphanedPrediction("late-duplicate", end.completed_at, "webhook")
    repository.finish_job(replace(end, orphans=(found,)))
    for cost in (None, Decimal("0.002"), Decimal(9), None):
        repository.record_orphan(end.job.job_id, replace(found, cost=cost))
    rows = sql.execute("SELECT replicate_id, cost FROM orphaned_predictions").fetchall()
    assert rows == [("late-duplicate", Decimal("0.002"))]


def test_a_cost_learnt_after_the_end_is_added_once(
    repository: PostgresJobRepository, sql: psycopg.Connection
) -> None:
    end = succeeded(
        status=JobStatus.FAILED,
        assets=(),
        error_code="PredictionTimedOut",
        error_message="late",
        actual_cost=None,
        predict_time=None,
        total_time=None,
    )
    job_id = end.job.job_id
    assert not repository.settle_prediction(job_id, "rep-1", Decimal(1), 1.0, 2.0)
    repository.create_job(end.job, None)
    assert not repository.settle_prediction(job_id, "rep-1", Decimal(1), 1.0, 2.0), "it still runs"
    repository.finish_job(end)
    assert repository.settle_prediction(job_id, "rep-1", None, None, None)
    assert repository.settle_prediction(job_id, "rep-1", Decimal("0.0029"), 1.5, 2.5)
    assert repository.settle_prediction(job_id, "rep-1", Decimal(9), 9.0, 9.0), "a repetition"
    assert not repository.settle_prediction(job_id, "rep-2", Decimal(9), 9.0, 9.0)
    settled = replace(end, actual_cost=Decimal("0.0029"))
    assert repository.status(job_id) == finished_document(settled)
    rows = sql.execute("SELECT predict_time, total_time FROM jobs").fetchall()
    assert rows == [(1.5, 2.5)]


def test_a_job_that_ended_before_its_prediction_was_attached_is_charged_for_it(
    repository: PostgresJobRepository,
) -> None:
    end = succeeded(status=JobStatus.CANCELED, assets=(), replicate_id=None, actual_cost=Decimal(0))
    repository.finish_job(end)
    assert repository.settle_prediction(end.job.job_id, "rep-1", Decimal("0.5"), 1.0, 2.0)
    settled = replace(end, replicate_id="rep-1", actual_cost=Decimal("0.5"))
    assert repository.status(end.job.job_id) == finished_document(settled)
