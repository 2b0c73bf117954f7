"""ListModels: the catalogue at a glance."""

from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.wiring import catalogue
from vsl.services.describe_models import list_models


@api
def handler(_event: Event, _context: Context) -> Response:
    return answer(200, list_models(catalogue()))
