"""GetTimeline: where the job's time went, segment by segment."""

from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.use_cases.reading import get_timeline

prepare("ssm")
at_init(get_timeline)


@api
def handler(event: Event, _context: Context) -> Response:
    found = get_timeline()(event["pathParameters"]["jobId"], caller(event))
    return answer(200, found, {"Cache-Control": "no-store"})
