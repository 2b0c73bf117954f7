"""SetBudget: a limit of a user, or of the whole deployment, given or taken away by an operator."""

from vsl.runtime.body import json_body
from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.use_cases.money import set_budget

prepare("ssm")
at_init(set_budget)


@api
def handler(event: Event, _context: Context) -> Response:
    owner = event["pathParameters"]["owner"]
    found = set_budget()(owner, json_body(event), caller(event))
    return answer(200, found, {"Cache-Control": "no-store"})
