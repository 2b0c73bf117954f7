"""GetBudget: what a user has spent and may still spend."""

from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.use_cases.money import get_budget

prepare("ssm")
at_init(get_budget)


@api
def handler(event: Event, _context: Context) -> Response:
    found = get_budget()(caller(event).require_user())
    return answer(200, found, {"Cache-Control": "no-store"})
