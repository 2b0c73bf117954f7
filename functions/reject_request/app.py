"""RejectRequest: the error that stopped a request at the door, as an HTTP problem."""

from vsl.domain.errors import door_error
from vsl.runtime.handler import Context, Event, problem, step
from vsl.runtime.wiring import rate_limits


@step
def handler(event: Event, _context: Context) -> Event:
    document = event["input"]
    if (document.get("admission") or {}).get("first"):
        # Admitted by this very request, and then not started: it takes no place in any limit.
        rate_limits().withdraw(document["job"]["userId"], document["job"]["jobId"])
    error = document.get("error") or {}
    return problem(door_error(str(error.get("Error", "InternalError")), error.get("Cause")))
