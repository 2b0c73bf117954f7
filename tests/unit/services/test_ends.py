"""How a job ends, well or badly: once, everywhere, with its money."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.support.jobs import catalogue, make_asset, make_job
from tests.support.outside import (
    MemoryAccounting,
    MemoryCache,
    NoLimits,
    PlainSigner,
    RecordingAnnouncements,
)
from tests.unit.services.conftest import World
from vsl.domain.caller import Caller
from vsl.domain.errors import (
    JobCanceled,
    JobNotFound,
    ProviderAuthenticationFailed,
    ProviderUnavailable,
    VslError,
)
from vsl.domain.job import FinishedJob, JobEvent, JobStatus
from vsl.domain.prediction import Outcome, PredictionStatus
from vsl.domain.status import finished_document
from vsl.domain.webhook_url import webhook_url
from vsl.services.create_job import create_job
from vsl.services.finalize_job import finalize_job
from vsl.services.finish import Books
from vsl.services.get_status import StatusStores, public_status, read_status
from vsl.services.record_failure import record_failure
from vsl.services.rendezvous import register_token
from vsl.services.repair_execution import repair_execution


@pytest.fixture
def books(world: World) -> Books:
    return make_books(world)


def make_books(world: World) -> Books:
    return Books(
        catalogue=catalogue(),
        accounting=world.accounting,
        live=world.live,
        cache=MemoryCache(),
        limits=NoLimits(),
        announcements=RecordingAnnouncements(),
        clock=world.clock,
        metrics=world.metrics,
    )


def submit(world: World) -> str:
    now = world.clock.now()
    world.live.write_intent(world.job.job_id, 1, now, now)
    prediction = world.provider.create("model", {}, "https://x", 60)
    world.live.record_prediction(world.job.job_id, 1, prediction.id, now, "workflow")
    return prediction.id


BACK_END = Caller()


def success(world: World, books: Books) -> Outcome:
    outcome = Outcome.of(world.provider.end(submit(world)), "webhook")
    world.live.record_outcome(world.job.job_id, outcome, world.clock.now())
    finalize_job(world.job, outcome, (make_asset(),), books)
    return outcome


def status(
    world: World, books: Books, job_id: str | None = None, who: Caller = BACK_END
) -> dict[str, object]:
    stores = StatusStores(books.cache, world.live, books.accounting)
    document = read_status(world.job.job_id if job_id is None else job_id, who, stores)
    return public_status(document, PlainSigner(), world.clock.now())


def failure(world: World, books: Books, error: str, cause: str = "") -> str:
    document = {"job": world.job.document(), "error": {"Error": error, "Cause": cause}}
    return record_failure(document, books, world.provider).code


def test_success_is_the_same_everywhere(world: World, books: Books) -> None:
    success(world, books)
    accounting, cache = books.accounting, books.cache
    assert isinstance(accounting, MemoryAccounting)
    assert isinstance(cache, MemoryCache)
    finished = accounting.finished[world.job.job_id]
    assert finished.actual_cost == Decimal("0.003")
    names = [event.name for event in finished.events]
    assert sorted(names) == ["created", "intent_1", "outcome_recorded", "submitted", "succeeded"]
    assert names[-1] == "succeeded"
    cached = status(world, books)
    cache.documents.clear()
    live = status(world, books)
    cache.documents.clear()
    assert accounting.status(world.job.job_id) == world.item().result
    assert cached == live
    assert cached["status"] == "succeeded"
    assert cached["result"] == cached["outputs"][0]  # type: ignore[index]


def test_finalizing_twice_converges(world: World, books: Books) -> None:
    outcome = success(world, books)
    before = status(world, books)
    world.clock.advance(30)
    finalize_job(world.job, outcome, (make_asset(),), books)
    assert status(world, books) == before


def test_every_end_gives_the_place_back(world: World) -> None:
    limits = NoLimits()
    books = replace(make_books(world), limits=limits)
    mine = (world.job.user_id, world.job.job_id)
    success(world, books)
    assert limits.released == [mine]
    failure(world, books, "PredictionFailed")
    assert limits.released == [mine] * 2, "whoever wrote the end may have died just then"
    repair_execution(mine[1], "stopped", None, books, world.provider)
    assert limits.released == [mine] * 3


def test_a_canceled_job_stays_canceled(world: World, books: Books) -> None:
    canceled = FinishedJob(world.job, JobStatus.CANCELED, world.clock.now())
    books.accounting.finish_job(canceled)
    world.live.finish(canceled, finished_document(canceled))
    with pytest.raises(JobCanceled):
        success(world, books)
    assert status(world, books)["status"] == "canceled"


def test_a_failure_keeps_its_code_and_message(world: World, books: Books) -> None:
    cause = json.dumps(
        {
            "errorType": "ContentFlagged",
            "errorMessage": json.dumps({"code": "ContentFlagged", "message": "Not this."}),
        }
    )
    assert failure(world, books, "ContentFlagged", cause) == "ContentFlagged"
    answer = status(world, books)
    assert (answer["status"], answer["errorCode"], answer["error"]) == (
        "failed",
        "ContentFlagged",
        "Not this.",
    )
    assert answer["result"] is None
    dimensions = {"mediaType": "image", "modelId": "flux-schnell", "errorType": "ContentFlagged"}
    assert ("JobFailed", dimensions) in world.metrics.counted


def test_an_end_is_measured(world: World, books: Books) -> None:
    world.live.mark(world.job.job_id, JobEvent("storing", world.clock.now()), JobStatus.STORING)
    world.clock.advance(2)
    stored = JobEvent("stored", world.clock.now(), detail={"files": 1, "bytes": 2048})
    world.live.mark(world.job.job_id, stored)
    success(world, books)
    measured = dict(world.metrics.timed)
    assert (measured["TransferTime"], measured["TransferSize"]) == (2, 2048)
    assert measured["ActualCost"] == pytest.approx(0.003)
    assert measured["Resubmissions"] == 0
    assert world.metrics.names().count("JobCompleted") == 1


def test_an_unforeseen_error_stays_vague(world: World, books: Books) -> None:
    assert failure(world, books, "KeyError", '{"errorMessage": "\'secret\'"}') == "InternalError"
    assert "secret" not in json.dumps(status(world, books))


def test_a_failure_stops_the_running_prediction(world: World, books: Books) -> None:
    replicate_id = submit(world)
    failure(world, books, "States.Timeout")
    assert world.provider.canceled == [replicate_id]
    assert world.live.due(world.clock.now(), 10) == []


def test_a_provider_that_is_down_does_not_keep_the_job_open(world: World, books: Books) -> None:
    submit(world)

    def down() -> None:
        raise ProviderUnavailable("down")

    world.provider.before_read = down
    failure(world, books, "StoreUnavailable")
    assert status(world, books)["status"] == "failed"


def test_a_failed_prediction_costs_nothing(world: World, books: Books) -> None:
    ended = world.provider.end(submit(world), PredictionStatus.FAILED, "CUDA out of memory")
    world.live.record_outcome(world.job.job_id, Outcome.of(ended, "webhook"), world.clock.now())
    failure(world, books, "PredictionFailed")
    assert status(world, books)["actualCost"] == 0
    assert world.provider.canceled == []


def test_a_failure_before_the_job_existed_is_still_found(world: World, books: Books) -> None:
    """RateLimitExceeded in media_job: the item was never created, the status must show it."""
    job = make_job("never created")
    document = {"job": job.document(), "error": {"Error": "RateLimitExceeded", "Cause": ""}}
    record_failure(document, books, world.provider)
    assert status(world, books, job.job_id)["errorCode"] == "RateLimitExceeded"


def test_a_wait_of_a_job_that_failed_before_it_existed_ends(world: World, books: Books) -> None:
    job = make_job("never created")
    document = {"job": job.document(), "error": {"Error": "RateLimitExceeded", "Cause": ""}}
    record_failure(document, books, world.provider)
    register_token(
        job.job_id, "token", live=world.live, callbacks=world.callbacks, clock=world.clock
    )
    assert world.callbacks.results() == [("token", "JobCanceled")]


def test_a_request_that_was_no_job_leaves_nothing(world: World, books: Books) -> None:
    document = {"request": {}, "error": {"Error": "InvalidRequest", "Cause": ""}}
    assert record_failure(document, books, world.provider).code == "InvalidRequest"
    assert isinstance(books.accounting, MemoryAccounting)
    assert books.accounting.finished == {}


def test_creating_a_job_twice_is_one_job(world: World, books: Books) -> None:
    job = make_job("another")
    for _ in range(2):
        create_job(job, "arn", accounting=books.accounting, live=world.live, metrics=world.metrics)
    answer = status(world, books, job.job_id)
    assert (answer["status"], answer["estimatedCost"]) == ("pending", 0.003)


@pytest.mark.parametrize("job_id", ["", "nonsense", "../../etc/passwd", make_job("unknown").job_id])
def test_an_unknown_job_is_not_found(world: World, books: Books, job_id: str) -> None:
    with pytest.raises(JobNotFound):
        status(world, books, job_id)


def test_a_job_does_not_exist_for_another_user(world: World, books: Books) -> None:
    owner = world.job.user_id
    for who in (BACK_END, Caller(subject=owner), Caller(named=owner)):
        assert status(world, books, who=who)["jobId"] == world.job.job_id
    for who in (Caller(subject="stranger"), Caller(named="stranger")):
        with pytest.raises(JobNotFound):
            status(world, books, who=who)


def test_an_end_that_only_postgresql_knows_reaches_the_others(world: World, books: Books) -> None:
    """FinalizeJob died between PostgreSQL and DynamoDB, and its execution was stopped."""
    outcome = Outcome.of(world.provider.end(submit(world)), "webhook")
    world.live.record_outcome(world.job.job_id, outcome, world.clock.now())
    end = FinishedJob(
        job=world.job,
        status=JobStatus.SUCCEEDED,
        completed_at=world.clock.now(),
        replicate_id=outcome.replicate_id,
        assets=(make_asset(),),
    )
    books.accounting.finish_job(end)

    failure(world, books, "ExecutionStopped")

    assert world.item().status is JobStatus.SUCCEEDED
    assert world.item().result == finished_document(end)
    assert status(world, books)["status"] == "succeeded"


def test_a_failure_stops_a_prediction_whose_answer_was_lost(world: World, books: Books) -> None:
    now = world.clock.now()
    world.live.write_intent(world.job.job_id, 1, now, now)
    webhook = webhook_url("https://api.example.com", world.job.job_id, 1)
    prediction = world.provider.create("model", {}, webhook, 60)

    failure(world, books, "JobCanceled")

    assert world.provider.canceled == [prediction.id]
    assert world.item().status is JobStatus.CANCELED
    assert world.item().replicate_id == prediction.id


@pytest.mark.parametrize("error", [ProviderAuthenticationFailed, ProviderUnavailable])
@pytest.mark.parametrize("known", [True, False])
def test_a_provider_that_refuses_us_does_not_keep_the_job_open(
    world: World, books: Books, known: bool, error: type[VslError]
) -> None:
    now = world.clock.now()
    world.live.write_intent(world.job.job_id, 1, now, now)
    if known:
        world.live.record_prediction(world.job.job_id, 1, "prediction", now, "workflow")

    def refuse() -> None:
        raise error("no")

    world.provider.before_read = refuse
    failure(world, books, "PredictionFailed")
    assert world.item().status is JobStatus.FAILED


def test_the_models_log_is_kept_with_the_end(world: World, books: Books) -> None:
    replicate_id = submit(world)
    world.provider.predictions[replicate_id] = replace(
        world.provider.predictions[replicate_id], logs="  0%|\r100%|\ndone\n"
    )
    outcome = Outcome.of(world.provider.end(replicate_id), "webhook")
    world.live.record_outcome(world.job.job_id, outcome, world.clock.now())
    assert status(world, books)["logs"] == "100%|\ndone\n"
    finalize_job(world.job, Outcome.from_document(outcome.document()), (make_asset(),), books)
    written = books.accounting.status(world.job.job_id)
    assert written is not None
    assert written["logs"] == "100%|\ndone\n"
    assert (world.item().result, world.item().logs) == (written, written["logs"])
