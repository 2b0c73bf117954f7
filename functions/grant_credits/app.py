"""GrantCredits: credits that a user has paid for, added by an operator."""

from vsl.runtime.body import json_body
from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api, header
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.use_cases.money import grant_credits

prepare("ssm")
at_init(grant_credits)


@api
def handler(event: Event, _context: Context) -> Response:
    key = header(event, "Idempotency-Key")
    granted = grant_credits()(key, json_body(event), caller(event))
    replayed = {"Idempotency-Replayed": "true"} if granted.replayed else {}
    return answer(200, granted.document, {"Cache-Control": "no-store", **replayed})
