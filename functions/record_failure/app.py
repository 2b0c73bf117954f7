"""RecordFailure: keep the reason, stop what still runs, write the bad end everywhere."""

from vsl.runtime.handler import Context, step
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.payloads import RecordFailureInput, RecordFailureOutput
from vsl.runtime.use_cases.completion import record_failure

prepare("dynamodb", "events", "ssm")
at_init(record_failure)


@step
def handler(event: RecordFailureInput, _context: Context) -> RecordFailureOutput:
    error = record_failure()(event["input"])
    return {"error": error.code, "cause": error.message}
