"""DispatchQueue: wake the jobs that wait for the provider, each in its turn, while any waits.

One run at a time. A run that has used its time hands the queue over to another one immediately; after a
row of them the poller goes on.
"""

from vsl.adapters.aws.lambdas import invoke_later
from vsl.runtime.handler import Context, Event, step
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.lone_run import RENEWED_LEASE, next_run, run_alone
from vsl.runtime.observability import logger
from vsl.runtime.settings import settings
from vsl.runtime.use_cases.pacing import dispatch_queue
from vsl.runtime.wiring import dispatching_lease

prepare("dynamodb", "ssm", "stepfunctions")
at_init(dispatch_queue)


@step
def handler(event: Event, context: Context) -> Event:
    dispatch = dispatch_queue()
    dispatch.rejoin(event.get("jobIds", ()))
    done = run_alone(dispatching_lease(), context, dispatch, lasts=RENEWED_LEASE)
    if done is None:
        logger.info("another run dispatches")
        return {"busy": 1}
    woken, left = done
    # A job that joined in the last moment has called a dispatcher that found this one at work.
    left = left or dispatch.any_wait()
    logger.info("dispatched", extra={"woken": woken, "left": left})
    following = next_run(event)
    if left and following:
        invoke_later(settings().dispatch_function, following)
    return {"woken": woken, "left": left}
