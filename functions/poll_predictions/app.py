"""PollPredictions: ask the provider about every job whose next check is due.

One run at a time. A run that has used its time hands what is left to another one immediately; after a
row of them the schedule goes on.
"""

from vsl.adapters.aws.lambdas import invoke_later
from vsl.runtime.handler import Context, Event, step
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.lone_run import next_run, run_alone
from vsl.runtime.observability import logger
from vsl.runtime.settings import settings
from vsl.runtime.use_cases.waiting import poll_predictions
from vsl.runtime.wiring import polling_lease

prepare("dynamodb", "ssm")
at_init(poll_predictions)


@step
def handler(event: Event, context: Context) -> Event:
    poll = poll_predictions()
    counts = run_alone(polling_lease(), context, lambda stop_at, _renew: poll(stop_at))
    if counts is None:
        logger.info("another run polls")
        return {"busy": 1}
    logger.info("polled", extra=counts)
    following = next_run(event)
    if counts["left"] and following:
        invoke_later(settings().poll_function, following)
    return counts
