"""PollPredictions: ask the provider about every job whose next check is due.

One run at a time. A run that has used its time hands what is left to another one immediately.
"""

from contextlib import suppress
from datetime import timedelta

from vsl.adapters.aws.lambdas import invoke_later
from vsl.domain.errors import StoreUnavailable
from vsl.runtime.handler import Context, Event, step
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.observability import logger
from vsl.runtime.settings import settings
from vsl.runtime.use_cases.waiting import poll_predictions
from vsl.runtime.wiring import clock, polling_lease

prepare("dynamodb", "ssm")
at_init(poll_predictions)

# Time to finish the checks in hand before Lambda's own time limit.
RESERVE = timedelta(seconds=15)
# Lambda ends a function that has called itself some sixteen times in a row; the schedule goes on.
MOST_RUNS = 12


@step
def handler(event: Event, context: Context) -> Event:
    remaining = timedelta(milliseconds=context.get_remaining_time_in_millis())
    lease, run = polling_lease(), context.aws_request_id
    if not lease.take(run, remaining):
        logger.info("another run polls")
        return {"busy": 1}
    try:
        counts = poll_predictions()(clock.now() + remaining - RESERVE)
    finally:
        with suppress(StoreUnavailable):  # it ends by itself
            lease.give_back(run)
    logger.info("polled", extra=counts)
    runs = int(event.get("runs", 0)) + 1
    if counts["left"] and runs < MOST_RUNS:
        invoke_later(settings().poll_function, {"runs": runs})
    return counts
