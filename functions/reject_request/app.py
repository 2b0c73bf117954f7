"""RejectRequest: the error that stopped a request in the API workflow, as an HTTP problem."""

from vsl.runtime.handler import Context, Response, problem, step
from vsl.runtime.initialization import at_init
from vsl.runtime.payloads import RejectRequestInput
from vsl.runtime.use_cases.admission import reject_request

at_init(reject_request)


@step
def handler(event: RejectRequestInput, _context: Context) -> Response:
    return problem(reject_request()(event["input"]))
