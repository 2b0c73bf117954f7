"""After a job was accepted nothing of it hangs on the catalogue, which may change at any moment."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, NoReturn, cast

import pytest

from benchmarks.item_size import item_size
from tests.support.jobs import catalogue, make_asset, make_job
from tests.support.models import MODEL_IDS, model
from tests.unit.services.conftest import World
from tests.unit.services.test_ends import make_ends
from tests.unit.services.test_poll_predictions import submit
from vsl.adapters.dynamodb import tracking_item
from vsl.adapters.dynamodb.values import serialized
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.mapping import provider_call
from vsl.domain.catalogue.validation import build_provider_input, validate_parameters
from vsl.domain.errors import UnknownModel
from vsl.domain.jobs.job import Job, JobStatus, OrphanedPrediction
from vsl.domain.money.pricing import actual_cost, charged, price_terms
from vsl.domain.predictions.prediction import Outcome, PredictionStatus
from vsl.services.money.compute_cost import ComputeCost
from vsl.services.submission.provider_call import call_of


class Unread:
    """A catalogue that fails on every read."""

    def find(self, model_id: str) -> NoReturn:
        raise AssertionError(f"the catalogue was asked for {model_id}")


UNREAD = cast("Catalogue", Unread())
WITHOUT_IT = Catalogue({"other": catalogue().find("sdxl")})


def accepted(**changes: Any) -> Job:
    """A job with the terms of the day."""
    job = make_job(**changes)
    known = model(job.model_id)
    terms = price_terms(known, job.parameters)
    return replace(job, price=terms, call=provider_call(known, job.parameters))


@pytest.fixture
def ends(world: World) -> World:
    world.job = accepted(seed="accepted")
    world.tracking.create(world.job, world.job.deadline, "arn:execution")
    world.repository.create_job(world.job, None)
    return replace(make_ends(world), catalogue=UNREAD)


def succeed(world: World) -> Outcome:
    outcome = Outcome.of(world.provider.end(submit(world)), "webhook")
    world.tracking.record_outcome(world.job.job_id, outcome, world.clock.now())
    return outcome


def test_a_stored_job_is_finalized_without_the_catalogue(world: World, ends: World) -> None:
    ends.finalize_job(world.job, succeed(world), (make_asset(),))
    finished = world.repository.finished[world.job.job_id]
    assert (finished.status, finished.actual_cost) == (JobStatus.SUCCEEDED, Decimal("0.003"))


def test_a_failed_job_and_its_orphan_are_booked_without_the_catalogue(
    world: World, ends: World
) -> None:
    succeed(world)
    late = world.provider.end(world.provider.create("model", {}, "https://x", 60).id)
    document = {"job": world.job.document(), "error": {"Error": "DownloadFailed", "Cause": ""}}
    ends.record_failure(document)
    assert world.repository.finished[world.job.job_id].actual_cost == Decimal("0.003")
    world.tracking.add_orphan(
        world.job.job_id, OrphanedPrediction(late.id, world.clock.now(), "webhook")
    )
    ends.settle_predictions(world.item())
    assert world.repository.orphans[late.id].cost == Decimal("0.003")


def test_an_older_job_of_a_model_that_is_gone_ends_well_at_an_unknown_cost(
    world: World, ends: World
) -> None:
    old = replace(world.job, price=None, call=None)
    replace(ends, catalogue=WITHOUT_IT).finalize_job(old, succeed(world), (make_asset(),))
    finished = world.repository.finished[old.job_id]
    assert (finished.status, finished.actual_cost) == (JobStatus.SUCCEEDED, None)


@pytest.mark.parametrize("model_id", MODEL_IDS)
def test_the_terms_charge_and_ask_as_the_catalogue_does(model_id: str) -> None:
    known = model(model_id)
    parameters = validate_parameters(known, known.example, allow_http=False)
    job = accepted(model_id=model_id, media_type=known.media_type, parameters=parameters)
    job = Job.from_document(job.document())
    for status in PredictionStatus:
        for count in (None, 0, 1, 4):
            ended = Outcome("p", status, "webhook", predict_time=1.25, output_count=count)
            assert job.price is not None
            assert charged(job.price, ended) == actual_cost(known, parameters, ended)
            assert ComputeCost(UNREAD, cast("Any", None))(job, ended) == charged(job.price, ended)
    call = call_of(job, UNREAD)
    assert call.reference == known.reference
    assert call.input(parameters) == build_provider_input(known, parameters)


def test_a_job_of_an_unpriced_model_stays_unpriced(world: World) -> None:
    """Also when the catalogue has a price for it by now."""
    job = make_job(estimated_cost=None)
    cost = ComputeCost(catalogue(), world.repository)
    for status in PredictionStatus:
        if status.terminal:
            free = status in {PredictionStatus.FAILED, PredictionStatus.ABORTED}
            expected = Decimal(0) if free else None
            assert cost(job, Outcome("p", status, "webhook", output_count=1)) == expected
    again = Job.from_document(job.document())
    assert (again.estimated_cost, again.price) == (None, None)


def test_an_older_job_asks_the_catalogue_of_the_day_what_to_send() -> None:
    job = make_job()
    assert call_of(job, catalogue()) == accepted().call
    with pytest.raises(UnknownModel):
        call_of(job, WITHOUT_IT)


def test_the_tracking_item_carries_the_price_and_an_older_one_need_not(world: World) -> None:
    job = accepted(seed="priced")
    world.tracking.create(job, job.deadline, None)
    found = world.tracking.get(job.job_id)
    assert found is not None
    assert found.job == replace(job, parameters={}, call=None)
    identity = tracking_item.identity(job)
    del identity["price"], identity["reruns"]
    older = {
        **tracking_item.key(job.job_id), **identity, "status": "pending", "deadlineAt": 1,
        "updatedAt": "2026-03-01T12:00:00Z",
    }  # fmt: skip
    assert tracking_item.tracked_job(older).job.price is None
    priced = item_size(serialized(tracking_item.identity(job)))
    assert priced - item_size(serialized(identity)) < 80, "each write pays for the whole item"
