"""GetUsage: jobs and money by day, user, model and media type."""

from vsl.domain.money.usage import parse_format
from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api, text_answer
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.use_cases.money import get_usage

prepare("ssm")
at_init(get_usage)


@api
def handler(event: Event, _context: Context) -> Response:
    query = event.get("queryStringParameters") or {}
    wanted = parse_format(query)
    report = get_usage()(query, caller(event).user_id)
    headers = {"Cache-Control": "no-store"}
    if wanted == "csv":
        return text_answer("text/csv; charset=utf-8", report.csv(), headers)
    return answer(200, report.document(), headers)
