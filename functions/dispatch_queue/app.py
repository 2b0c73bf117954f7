"""DispatchQueue: wake the jobs that wait for the provider, each in its turn, while any waits.

One run at a time. A run that has used its time hands the queue over to another one immediately.
"""

from contextlib import suppress
from datetime import timedelta

from vsl.adapters.aws.lambdas import invoke_later
from vsl.domain.errors import StoreUnavailable
from vsl.runtime.handler import Context, Event, step
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.observability import logger
from vsl.runtime.settings import settings
from vsl.runtime.use_cases.pacing import dispatch_queue
from vsl.runtime.wiring import clock, dispatching_lease

prepare("dynamodb", "ssm", "stepfunctions")
at_init(dispatch_queue)

# Time to wake the jobs in hand before Lambda's own time limit.
RESERVE = timedelta(seconds=15)
# Lambda ends a function that has called itself some sixteen times in a row; the poller goes on.
MOST_RUNS = 12


@step
def handler(event: Event, context: Context) -> Event:
    dispatch_queue().rejoin(event.get("jobIds", ()))
    remaining = timedelta(milliseconds=context.get_remaining_time_in_millis())
    lease, run = dispatching_lease(), context.aws_request_id
    if not lease.take(run, remaining):
        logger.info("another run dispatches")
        return {"busy": 1}
    try:
        woken, left = dispatch_queue()(clock.now() + remaining - RESERVE)
    finally:
        with suppress(StoreUnavailable):  # it ends by itself
            lease.give_back(run)
    # A job that joined in the last moment has called a dispatcher that found this one at work.
    left = left or dispatch_queue().any_wait()
    logger.info("dispatched", extra={"woken": woken, "left": left})
    runs = int(event.get("runs", 0)) + 1
    if left and runs < MOST_RUNS:
        invoke_later(settings().dispatch_function, {"runs": runs})
    return {"woken": woken, "left": left}
