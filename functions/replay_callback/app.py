"""ReplayCallback: tell the client of its job's end once more."""

from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.wiring import announcements, callback_log
from vsl.services.callbacks import replay_callback


@api
def handler(event: Event, context: Context) -> Response:
    asked = replay_callback(
        event["pathParameters"]["jobId"],
        context.aws_request_id,
        caller(event),
        log=callback_log(),
        queue=announcements(),
    )
    return answer(202, asked, {"Cache-Control": "no-store"})
