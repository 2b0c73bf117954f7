"""GetModel: one model, with the JSON Schema of its parameters."""

from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.settings import settings
from vsl.runtime.wiring import catalogue
from vsl.services.describe_models import describe_model


@api
def handler(event: Event, _context: Context) -> Response:
    model = describe_model(
        catalogue(),
        event["pathParameters"]["modelId"],
        allow_http=settings().allow_http_inputs,
    )
    return answer(200, model)
