"""GetModel: one model, with the JSON Schema of its parameters."""

from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.initialization import at_init
from vsl.runtime.use_cases.api import get_model

at_init(get_model)


@api
def handler(event: Event, _context: Context) -> Response:
    return answer(200, get_model()(event["pathParameters"]["modelId"]))
