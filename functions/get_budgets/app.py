"""GetBudgets: the budgets of a user, or of the whole deployment, for operators."""

from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.use_cases.money import get_budgets

prepare("ssm")
at_init(get_budgets)


@api
def handler(event: Event, _context: Context) -> Response:
    found = get_budgets()(event["pathParameters"]["owner"], caller(event))
    return answer(200, found, {"Cache-Control": "no-store"})
