"""The bad end: the reason is kept, a running prediction is stopped, everybody is told."""

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

from vsl.domain.errors import (
    JobCanceled,
    StoreUnavailable,
    VslError,
    parse_error,
)
from vsl.domain.job import FinishedJob, Job, JobEvent, JobStatus
from vsl.domain.live_job import LiveJob
from vsl.services.cost import cost_of
from vsl.services.finish import Books, finish, settle, with_end
from vsl.services.ports import Provider
from vsl.services.submission import adopt


def record_failure(document: Mapping[str, Any], books: Books, provider: Provider) -> VslError:
    """The error the execution ends in, from the state machine's whole document.

    A request that never became a job (it was not valid) leaves no record; its error is the answer.
    """
    raised = document.get("error") or {}
    error = parse_error(str(raised.get("Error", "InternalError")), raised.get("Cause"))
    if not isinstance(document.get("job"), Mapping):
        return error
    job = Job.from_document(document["job"])
    item = books.live.get(job.job_id)
    if item is not None and item.status.terminal and item.result is not None:
        # Whoever wrote the end may have died before it told anybody.
        settle(job, item, books)
        return error
    if item is not None:
        item = _stop_prediction(item, books, provider)
    status = JobStatus.CANCELED if isinstance(error, JobCanceled) else JobStatus.FAILED
    outcome = item.outcome if item else None
    now = books.clock.now()
    finished = FinishedJob(
        job=job,
        status=status,
        completed_at=now,
        replicate_id=item.replicate_id if item else None,
        attempt=item.attempt if item else 0,
        error_code=error.code,
        error_message=error.message,
        actual_cost=_cost(job, item, books),
        predict_time=outcome.predict_time if outcome else None,
        total_time=outcome.total_time if outcome else None,
        logs=item.logs if item else None,
        events=with_end(
            item.events if item else (), JobEvent(status.value, now, detail={"code": error.code})
        ),
        webhooks=item.webhooks if item else (),
        waste=item.waste if item else (),
    )
    finish(finished, books)
    return error


def _stop_prediction(item: LiveJob, books: Books, provider: Provider) -> LiveJob:
    """Nobody will use it any more. A submission whose answer was lost is looked for first.

    A provider that does not answer, or refuses us, must not keep the job open: `Cancel-After`
    bounds what the prediction can still cost, and its webhook books it.
    """
    live, job_id = books.live, item.job.job_id
    try:
        if item.replicate_id is None and item.intent_at is not None:
            with suppress(JobCanceled):
                adopt(item, live=live, provider=provider, clock=books.clock, metrics=books.metrics)
            item = live.get(job_id) or item
        if item.replicate_id is not None and item.outcome is None:
            provider.cancel(item.replicate_id)
    except StoreUnavailable:
        raise
    except VslError:
        return item
    return item


def _cost(job: Job, item: LiveJob | None, books: Books) -> Decimal | None:
    """What was paid: nothing before a prediction, by its outcome after; unknown in between."""
    if item is None or item.replicate_id is None:
        return Decimal(0)
    if item.outcome is None:
        return None
    return cost_of(job, item.outcome, books.catalogue, books.accounting)
