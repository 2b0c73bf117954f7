"""How long a client of a proxy integration can be kept waiting."""

from vsl.runtime.handler import Context, Event
from vsl.runtime.wiring import clock

# What is left of API Gateway's 29 seconds is for the answer's way back, the reading of its files included.
ANSWER_WITHIN = 26.0
_MARGIN = 1.5


def seconds_left(event: Event, context: Context) -> float:
    """Of API Gateway's time, which runs since the request came, and of the function's."""
    came = (event.get("requestContext") or {}).get("requestTimeEpoch")
    waited = 0.0
    if isinstance(came, int):
        waited = max(0.0, clock.now().timestamp() - came / 1000)
    return min(ANSWER_WITHIN - waited, context.get_remaining_time_in_millis() / 1000 - _MARGIN)
