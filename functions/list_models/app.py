"""ListModels: the catalogue at a glance."""

from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.initialization import at_init
from vsl.runtime.use_cases.api import list_models

at_init(list_models)


@api
def handler(_event: Event, _context: Context) -> Response:
    return answer(200, list_models()())
