"""The use cases of services/waiting."""

from functools import cache
from time import sleep
from typing import TYPE_CHECKING

from vsl.runtime import observability, wiring
from vsl.runtime.settings import settings
from vsl.runtime.use_cases import money, submission

if TYPE_CHECKING:
    from vsl.domain.errors import VslError
    from vsl.services.waiting.await_prediction import AwaitPrediction
    from vsl.services.waiting.complete_wait import CompleteWait
    from vsl.services.waiting.poll_predictions import PollPredictions
    from vsl.services.waiting.process_webhook import ProcessWebhook
    from vsl.services.waiting.record_outcome import RecordOutcome
    from vsl.services.waiting.resolve_timeout import ResolveTimeout


@cache
def await_prediction() -> "AwaitPrediction":
    from vsl.services.waiting.await_prediction import AwaitPrediction

    return AwaitPrediction(wiring.tracking_store(), wiring.clock, complete_wait())


@cache
def process_webhook() -> "ProcessWebhook":
    from vsl.services.waiting.process_webhook import ProcessWebhook
    from vsl.services.waiting.verify_webhook import VerifyWebhook

    # Most webhooks are the first end of a job that runs: they need none of these.
    provider = wiring.lazily(wiring.provider)
    repository = wiring.lazily(wiring.job_repository)
    return ProcessWebhook(
        tracking=wiring.tracking_store(),
        provider=provider,
        deduplication=wiring.webhook_deduplication(),
        clock=wiring.clock,
        metrics=observability.metrics,
        verify=VerifyWebhook(wiring.webhook_secrets(), wiring.clock, observability.metrics),
        record_outcome=record_outcome(),
        discard=submission.discard_prediction(provider),
        settle_prediction=money.settle_prediction(repository, wiring.lazily(wiring.status_cache)),
        settle_orphan=money.settle_orphan(repository),
    )


@cache
def resolve_timeout() -> "ResolveTimeout":
    from vsl.services.waiting.resolve_timeout import ResolveTimeout

    return ResolveTimeout(
        wiring.tracking_store(),
        wiring.clock,
        submission.stop_prediction(submission.provider_with_token()),
    )


@cache
def poll_predictions() -> "PollPredictions":
    from vsl.services.waiting.check_job import CheckJob
    from vsl.services.waiting.look_ahead import LookAhead
    from vsl.services.waiting.pace import POLLERS_SHARE, Pace, PacedProvider
    from vsl.services.waiting.poll_predictions import PollPredictions

    per_second = settings().provider_reads_per_minute * POLLERS_SHARE / 60
    provider = PacedProvider(
        submission.provider_with_token(), Pace(per_second, wiring.clock, sleep)
    )
    check = CheckJob(
        tracking=wiring.tracking_store(),
        provider=provider,
        clock=wiring.clock,
        metrics=observability.metrics,
        report=_report,
        repair=_repair,
        rejoin=_rejoin,
        grace=submission.grace(),
        adopt=submission.adopt_prediction(provider),
        stop=submission.stop_prediction(provider),
        record_outcome=record_outcome(),
        complete_wait=complete_wait(),
    )
    return PollPredictions(
        wiring.tracking_store(), wiring.clock, observability.metrics, LookAhead(provider), check
    )


def _report(job_id: str, error: "VslError") -> None:
    observability.logger.warning(
        "check failed", job_id=job_id, error_code=error.code, reason=error.message
    )


def _repair(job_id: str) -> None:
    """Asynchronously, by a function that reaches PostgreSQL; the poller need not."""
    from vsl.adapters.aws.lambdas import invoke_later

    invoke_later(settings().repair_function, {"jobId": job_id})


def _rejoin(job_id: str) -> None:
    """Asynchronously, by a function that reaches Redis."""
    from vsl.adapters.aws.lambdas import invoke_later

    invoke_later(settings().dispatch_function, {"jobIds": [job_id]})


@cache
def record_outcome() -> "RecordOutcome":
    from vsl.services.waiting.record_outcome import RecordOutcome

    return RecordOutcome(
        wiring.tracking_store(), wiring.clock, observability.metrics, complete_wait()
    )


@cache
def complete_wait() -> "CompleteWait":
    from vsl.services.waiting.complete_wait import CompleteWait

    return CompleteWait(wiring.tracking_store(), wiring.task_tokens(), wiring.clock)
