"""RecordFailure: keep the reason, stop what still runs, write the bad end everywhere."""

from vsl.runtime.handler import Context, Event, step
from vsl.runtime.wiring import books, provider
from vsl.services.record_failure import record_failure


@step
def handler(event: Event, _context: Context) -> Event:
    error = record_failure(event["input"], books(), provider())
    return {"error": error.code, "cause": error.message}
