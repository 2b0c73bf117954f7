"""How a job ends, well or badly: once, everywhere, with its money."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.support.fakes import (
    MemoryCache,
    MemoryJobRepository,
    NoLimits,
    PlainSigner,
    RecordingPublisher,
    StillQueue,
)
from tests.support.jobs import INTENT, as_kept, make_asset, make_job
from tests.unit.services.conftest import World
from vsl.domain.api.caller import Caller
from vsl.domain.errors import (
    JobCanceled,
    JobNotFound,
    ProviderAuthenticationFailed,
    ProviderUnavailable,
    VslError,
)
from vsl.domain.jobs.job import FinishedJob, JobEvent, JobStatus
from vsl.domain.jobs.status import finished_document
from vsl.domain.jobs.webhook_url import webhook_url
from vsl.domain.predictions.prediction import Outcome, PredictionStatus
from vsl.services.reading.live_documents import LiveDocuments
from vsl.services.reading.read_status import ReadStatus
from vsl.services.reading.show_status import ShowStatus


@pytest.fixture
def ends(world: World) -> World:
    return make_ends(world)


def make_ends(world: World) -> World:
    """The functions that end jobs, with a cache of their own."""
    return replace(world, cache=MemoryCache(), limits=NoLimits(), publisher=RecordingPublisher())


def submit(world: World) -> str:
    now = world.clock.now()
    world.tracking.write_intent(world.job.job_id, 1, now, now, INTENT)
    prediction = world.provider.create("model", {}, "https://x", 60)
    world.tracking.record_prediction(world.job.job_id, 1, prediction.id, now, "workflow")
    return prediction.id


BACK_END = Caller()


def success(world: World, ends: World) -> Outcome:
    outcome = Outcome.of(world.provider.end(submit(world)), "webhook")
    world.tracking.record_outcome(world.job.job_id, outcome, world.clock.now())
    ends.finalize_job(world.job, outcome, (make_asset(),))
    return outcome


def status(
    world: World, ends: World, job_id: str | None = None, who: Caller = BACK_END
) -> dict[str, object]:
    read_status = ReadStatus(
        ends.cache, world.tracking, ends.repository, LiveDocuments(StillQueue(), world.clock)
    )
    document = read_status(world.job.job_id if job_id is None else job_id, who)
    return ShowStatus(PlainSigner())(document, world.clock.now())


def failure(world: World, ends: World, error: str, cause: str = "") -> str:
    document = {"job": world.job.document(), "error": {"Error": error, "Cause": cause}}
    return ends.record_failure(document).code


def test_success_is_the_same_everywhere(world: World, ends: World) -> None:
    success(world, ends)
    repository, cache = ends.repository, ends.cache
    assert isinstance(repository, MemoryJobRepository)
    assert isinstance(cache, MemoryCache)
    finished = repository.finished[world.job.job_id]
    assert finished.actual_cost == Decimal("0.003")
    names = [event.name for event in finished.events]
    assert sorted(names) == ["created", "intent_1", "outcome_recorded", "submitted", "succeeded"]
    assert names[-1] == "succeeded"
    cached = status(world, ends)
    cache.documents.clear()
    tracking = status(world, ends)
    cache.documents.clear()
    assert as_kept(repository.status(world.job.job_id)) == world.item().result
    assert cached == tracking
    assert cached["status"] == "succeeded"
    assert cached["result"] == cached["outputs"][0]  # type: ignore[index]


def test_finalizing_twice_converges(world: World, ends: World) -> None:
    outcome = success(world, ends)
    before = status(world, ends)
    world.clock.advance(30)
    ends.finalize_job(world.job, outcome, (make_asset(),))
    assert status(world, ends) == before


def test_every_end_gives_the_place_back(world: World) -> None:
    limits = NoLimits()
    ends = replace(make_ends(world), limits=limits)
    mine = (world.job.user_id, world.job.job_id)
    success(world, ends)
    assert limits.released == [mine]
    failure(world, ends, "PredictionFailed")
    assert limits.released == [mine] * 2, "the step that wrote the end may have died just then"
    ends.repair_execution(mine[1], "stopped")
    assert limits.released == [mine] * 3


def test_a_canceled_job_stays_canceled(world: World, ends: World) -> None:
    canceled = FinishedJob(world.job, JobStatus.CANCELED, world.clock.now())
    ends.repository.finish_job(canceled)
    world.tracking.finish(canceled, finished_document(canceled))
    with pytest.raises(JobCanceled):
        success(world, ends)
    assert status(world, ends)["status"] == "canceled"


def test_a_failure_keeps_its_code_and_message(world: World, ends: World) -> None:
    cause = json.dumps(
        {
            "errorType": "ContentFlagged",
            "errorMessage": json.dumps({"code": "ContentFlagged", "message": "Not this."}),
        }
    )
    assert failure(world, ends, "ContentFlagged", cause) == "ContentFlagged"
    answer = status(world, ends)
    assert (answer["status"], answer["errorCode"], answer["error"]) == (
        "failed",
        "ContentFlagged",
        "Not this.",
    )
    assert answer["result"] is None
    dimensions = {"mediaType": "image", "modelId": "flux-schnell", "errorType": "ContentFlagged"}
    assert ("JobFailed", dimensions) in world.metrics.counted


def test_an_end_is_measured(world: World, ends: World) -> None:
    world.tracking.record_event(
        world.job.job_id, JobEvent("storing", world.clock.now()), JobStatus.STORING
    )
    world.clock.advance(2)
    stored = JobEvent("stored", world.clock.now(), detail={"files": 1, "bytes": 2048})
    world.tracking.record_event(world.job.job_id, stored)
    success(world, ends)
    measured = dict(world.metrics.timed)
    assert (measured["TransferTime"], measured["TransferSize"]) == (2, 2048)
    assert measured["ActualCost"] == pytest.approx(0.003)
    assert measured["Resubmissions"] == 0
    assert world.metrics.names().count("JobCompleted") == 1


def test_an_unforeseen_error_stays_vague(world: World, ends: World) -> None:
    assert failure(world, ends, "KeyError", '{"errorMessage": "\'secret\'"}') == "InternalError"
    assert "secret" not in json.dumps(status(world, ends))


def test_a_failure_stops_the_running_prediction(world: World, ends: World) -> None:
    replicate_id = submit(world)
    failure(world, ends, "States.Timeout")
    assert world.provider.canceled == [replicate_id]
    assert world.tracking.due(world.clock.now(), 10) == []


def test_a_provider_that_is_down_does_not_keep_the_job_open(world: World, ends: World) -> None:
    submit(world)

    def down() -> None:
        raise ProviderUnavailable("down")

    world.provider.before_read = down
    failure(world, ends, "StoreUnavailable")
    assert status(world, ends)["status"] == "failed"


def test_a_failed_prediction_costs_nothing(world: World, ends: World) -> None:
    ended = world.provider.end(submit(world), PredictionStatus.FAILED, "CUDA out of memory")
    world.tracking.record_outcome(world.job.job_id, Outcome.of(ended, "webhook"), world.clock.now())
    failure(world, ends, "PredictionFailed")
    assert status(world, ends)["actualCost"] == "0"
    assert world.provider.canceled == []


def test_a_failure_before_the_job_existed_is_still_found(world: World, ends: World) -> None:
    """RateLimitExceeded in media_job: the item was never created, the status must show it."""
    job = make_job("never created")
    document = {"job": job.document(), "error": {"Error": "RateLimitExceeded", "Cause": ""}}
    ends.record_failure(document)
    assert status(world, ends, job.job_id)["errorCode"] == "RateLimitExceeded"


def test_a_wait_of_a_job_that_failed_before_it_existed_ends(world: World, ends: World) -> None:
    job = make_job("never created")
    document = {"job": job.document(), "error": {"Error": "RateLimitExceeded", "Cause": ""}}
    ends.record_failure(document)
    world.await_prediction(job.job_id, "token")
    assert world.tokens.results() == [("token", "JobCanceled")]


def test_a_request_that_was_no_job_leaves_nothing(world: World, ends: World) -> None:
    document = {"request": {}, "error": {"Error": "InvalidRequest", "Cause": ""}}
    assert ends.record_failure(document).code == "InvalidRequest"
    assert isinstance(ends.repository, MemoryJobRepository)
    assert ends.repository.finished == {}


def test_creating_a_job_twice_is_one_job(world: World, ends: World) -> None:
    job = make_job("another")
    for _ in range(2):
        ends.create_job(job, "arn")
    answer = status(world, ends, job.job_id)
    assert (answer["status"], answer["estimatedCost"]) == ("pending", "0.003")


@pytest.mark.parametrize("job_id", ["", "nonsense", "../../etc/passwd", make_job("unknown").job_id])
def test_an_unknown_job_is_not_found(world: World, ends: World, job_id: str) -> None:
    with pytest.raises(JobNotFound):
        status(world, ends, job_id)


def test_a_job_does_not_exist_for_another_user(world: World, ends: World) -> None:
    owner = world.job.user_id
    for who in (BACK_END, Caller(subject=owner), Caller(named=owner)):
        assert status(world, ends, who=who)["jobId"] == world.job.job_id
    for who in (Caller(subject="stranger"), Caller(named="stranger")):
        with pytest.raises(JobNotFound):
            status(world, ends, who=who)


def test_an_end_that_only_postgresql_knows_reaches_the_others(world: World, ends: World) -> None:
    """FinalizeJob died between PostgreSQL and DynamoDB, and its execution was stopped."""
    outcome = Outcome.of(world.provider.end(submit(world)), "webhook")
    world.tracking.record_outcome(world.job.job_id, outcome, world.clock.now())
    end = FinishedJob(
        job=world.job,
        status=JobStatus.SUCCEEDED,
        completed_at=world.clock.now(),
        replicate_id=outcome.replicate_id,
        assets=(make_asset(),),
    )
    ends.repository.finish_job(end)

    failure(world, ends, "ExecutionStopped")

    assert world.item().status is JobStatus.SUCCEEDED
    assert world.item().result == as_kept(finished_document(end))
    assert status(world, ends)["status"] == "succeeded"


def test_a_failure_stops_a_prediction_whose_answer_was_lost(world: World, ends: World) -> None:
    now = world.clock.now()
    world.tracking.write_intent(world.job.job_id, 1, now, now, INTENT)
    webhook = webhook_url("https://api.example.com", world.job.job_id, 1)
    prediction = world.provider.create("model", {}, webhook, 60)

    failure(world, ends, "JobCanceled")

    assert world.provider.canceled == [prediction.id]
    assert world.item().status is JobStatus.CANCELED
    assert world.item().replicate_id == prediction.id


@pytest.mark.parametrize("error", [ProviderAuthenticationFailed, ProviderUnavailable])
@pytest.mark.parametrize("known", [True, False])
def test_a_provider_that_refuses_us_does_not_keep_the_job_open(
    world: World, ends: World, known: bool, error: type[VslError]
) -> None:
    now = world.clock.now()
    world.tracking.write_intent(world.job.job_id, 1, now, now, INTENT)
    if known:
        world.tracking.record_prediction(world.job.job_id, 1, "prediction", now, "workflow")

    def refuse() -> None:
        raise error("no")

    world.provider.before_read = refuse
    failure(world, ends, "PredictionFailed")
    assert world.item().status is JobStatus.FAILED


def test_the_models_log_is_kept_with_the_end(world: World, ends: World) -> None:
    replicate_id = submit(world)
    world.provider.predictions[replicate_id] = replace(
        world.provider.predictions[replicate_id], logs="  0%|\r100%|\ndone\n"
    )
    outcome = Outcome.of(world.provider.end(replicate_id), "webhook")
    world.tracking.record_outcome(world.job.job_id, outcome, world.clock.now())
    assert status(world, ends)["logs"] == "100%|\ndone\n"
    ends.finalize_job(world.job, Outcome.from_document(outcome.document()), (make_asset(),))
    written = ends.repository.status(world.job.job_id)
    assert written is not None
    assert written["logs"] == "100%|\ndone\n"
    assert (world.item().result, world.item().logs) == (as_kept(written), written["logs"])
