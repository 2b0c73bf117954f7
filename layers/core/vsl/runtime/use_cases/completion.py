"""The use cases of services/completion."""

from functools import cache
from typing import TYPE_CHECKING

from vsl.runtime import observability, wiring
from vsl.runtime.use_cases import money, submission

if TYPE_CHECKING:
    from vsl.services.completion.end_forgotten import EndForgotten
    from vsl.services.completion.fail_job import FailJob
    from vsl.services.completion.finalize_job import FinalizeJob
    from vsl.services.completion.finish_job import FinishJob
    from vsl.services.completion.publish_end import PublishEnd
    from vsl.services.completion.record_failure import RecordFailure
    from vsl.services.completion.repair_execution import RepairExecution
    from vsl.services.completion.settle_predictions import SettlePredictions
    from vsl.services.completion.store_media import StoreMedia
    from vsl.services.ports.provider import Provider


@cache
def store_media() -> "StoreMedia":
    from vsl.runtime import wiring_media
    from vsl.services.completion.store_media import StoreMedia

    return StoreMedia(
        wiring.tracking_store(),
        wiring_media.media(),
        wiring.lazily(wiring.object_removal),
        wiring.clock,
    )


@cache
def finalize_job() -> "FinalizeJob":
    from vsl.services.completion.finalize_job import FinalizeJob

    cost = money.compute_cost(wiring.job_repository())
    return FinalizeJob(wiring.tracking_store(), wiring.clock, cost, finish_job())


@cache
def record_failure() -> "RecordFailure":
    from vsl.services.completion.record_failure import RecordFailure

    return RecordFailure(fail_job(submission.provider_with_token()))


@cache
def repair_execution() -> "RepairExecution":
    from vsl.services.completion.repair_execution import RepairExecution

    provider = submission.provider_with_token()
    return RepairExecution(
        tracking=wiring.tracking_store(),
        executions=wiring.executions(),
        publish_end=publish_end(),
        settle_predictions=settle_predictions(provider),
        fail=fail_job(provider),
    )


@cache
def end_forgotten() -> "EndForgotten":
    from vsl.services.completion.end_forgotten import EndForgotten

    return EndForgotten(
        repository=wiring.job_repository(),
        tracking=wiring.tracking_store(),
        clock=wiring.clock,
        metrics=observability.metrics,
        repair=repair_execution(),
    )


def fail_job(provider: "Provider") -> "FailJob":
    from vsl.services.completion.fail_job import FailJob

    return FailJob(
        tracking=wiring.tracking_store(),
        provider=provider,
        clock=wiring.clock,
        cost=money.compute_cost(wiring.job_repository()),
        adopt=submission.adopt_prediction(provider),
        finish=finish_job(),
        publish_end=publish_end(),
        slots=wiring.lazily(wiring.slots),
    )


def settle_predictions(provider: "Provider") -> "SettlePredictions":
    from vsl.services.completion.settle_predictions import SettlePredictions

    repository = wiring.job_repository()
    return SettlePredictions(
        repository=repository,
        tracking=wiring.tracking_store(),
        clock=wiring.clock,
        stop=submission.stop_prediction(provider),
        search=submission.search_predictions(provider),
        discard=submission.discard_prediction(provider),
        settle_prediction=money.settle_prediction(repository, wiring.status_cache()),
        settle_orphan=money.settle_orphan(repository),
    )


@cache
def finish_job() -> "FinishJob":
    from vsl.services.completion.finish_job import FinishJob

    return FinishJob(
        repository=wiring.job_repository(),
        tracking=wiring.tracking_store(),
        cache=wiring.status_cache(),
        metrics=observability.metrics,
        publish_end=publish_end(),
    )


@cache
def publish_end() -> "PublishEnd":
    from vsl.services.completion.publish_end import PublishEnd

    return PublishEnd(
        wiring.tracking_store(), wiring.rate_limits(), wiring.event_publisher(), wiring.clock
    )
