"""ListJobs: a page of jobs from PostgreSQL, with the status of running ones from DynamoDB."""

from vsl.domain.api.job_list import ListRequest
from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.initialization import prepare
from vsl.runtime.use_cases.reading import list_jobs

prepare("s3", "ssm")


@api
def handler(event: Event, _context: Context) -> Response:
    query = event.get("queryStringParameters") or {}
    found = list_jobs()(ListRequest.parse(query, caller(event).user_id))
    return answer(200, found, {"Cache-Control": "no-store"})
