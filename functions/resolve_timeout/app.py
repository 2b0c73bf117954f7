"""ResolveTimeout: the wait has run out; use a finished prediction, stop a running one."""

from vsl.runtime.handler import Context, step
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.payloads import ResolveTimeoutInput, ResolveTimeoutOutput
from vsl.runtime.use_cases.waiting import resolve_timeout

prepare("dynamodb", "ssm")
at_init(resolve_timeout)


@step
def handler(event: ResolveTimeoutInput, _context: Context) -> ResolveTimeoutOutput:
    attempt, outcome = resolve_timeout()(event["jobId"])
    return {"attempt": attempt, **outcome.document()}
