"""ResolveTimeout: the wait has run out; use a finished prediction, stop a running one."""

from vsl.runtime.handler import Context, Event, step
from vsl.runtime.wiring import clock, live_jobs, provider
from vsl.services.resolve_timeout import resolve_timeout


@step
def handler(event: Event, _context: Context) -> Event:
    attempt, outcome = resolve_timeout(
        event["jobId"], live=live_jobs(), provider=provider(), clock=clock
    )
    return {"attempt": attempt, **outcome.document()}
