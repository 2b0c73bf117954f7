"""GetLedger: the movements of a job's money, for operators."""

from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.use_cases.money import get_ledger

prepare("ssm")
at_init(get_ledger)


@api
def handler(event: Event, _context: Context) -> Response:
    query = event.get("queryStringParameters") or {}
    found = get_ledger()(query.get("jobId"), caller(event))
    return answer(200, found, {"Cache-Control": "no-store"})
