"""AwaitPrediction: leave the task token where the webhook and the poller will find it."""

from vsl.runtime.handler import Context, Event, step
from vsl.runtime.wiring import callbacks, clock, live_jobs
from vsl.services.rendezvous import register_token


@step
def handler(event: Event, _context: Context) -> Event:
    attempt, released = register_token(
        event["jobId"], event["taskToken"], live=live_jobs(), callbacks=callbacks(), clock=clock
    )
    return {"attempt": attempt, "released": released}
