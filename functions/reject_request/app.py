"""RejectRequest: the error that stopped a request at the door, as an HTTP problem."""

from vsl.domain.errors import parse_error
from vsl.runtime.handler import Context, Event, problem, step


@step
def handler(event: Event, _context: Context) -> Event:
    error = event["input"].get("error") or {}
    return problem(parse_error(str(error.get("Error", "InternalError")), error.get("Cause")))
