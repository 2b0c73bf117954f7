"""PollPredictions: ask the provider about every job whose next check is due."""

from datetime import timedelta

from vsl.adapters.lambdas import invoke_later
from vsl.domain.errors import VslError
from vsl.runtime.handler import Context, Event, step
from vsl.runtime.observability import logger, metrics
from vsl.runtime.settings import settings
from vsl.runtime.wiring import callbacks, clock, live_jobs, provider
from vsl.services.poll_predictions import Poller, poll_predictions

# Time to finish the check in hand before Lambda's own time limit.
RESERVE = timedelta(seconds=15)


@step
def handler(_event: Event, context: Context) -> Event:
    remaining = timedelta(milliseconds=context.get_remaining_time_in_millis())
    counts = poll_predictions(
        Poller(
            live=live_jobs(),
            callbacks=callbacks(),
            provider=provider(),
            clock=clock,
            metrics=metrics,
            report=_report,
            repair=_repair,
            settle=timedelta(seconds=settings().submission_settle_seconds),
        ),
        stop_at=clock.now() + remaining - RESERVE,
    )
    logger.info("polled", extra=counts)
    return counts


def _repair(job_id: str) -> None:
    """Asynchronously, by a function that reaches PostgreSQL; this one need not."""
    invoke_later(settings().repair_function, {"jobId": job_id})


def _report(job_id: str, error: VslError) -> None:
    logger.warning("check failed", job_id=job_id, error_code=error.code, reason=error.message)
