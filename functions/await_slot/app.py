"""AwaitSlot: the job waits in the queue for the provider until it is its turn."""

from vsl.domain.errors import parse_error
from vsl.runtime.handler import Context, step
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.payloads import AwaitSlotInput, AwaitSlotOutput
from vsl.runtime.use_cases.pacing import await_slot

prepare("dynamodb", "ssm", "stepfunctions")
at_init(await_slot)


@step
def handler(event: AwaitSlotInput, _context: Context) -> AwaitSlotOutput:
    refused = parse_error(event["refused"]["Error"], event["refused"]["Cause"])
    turn = await_slot()(event["jobId"], event["taskToken"], refused)
    return {"granted": turn.granted, "position": turn.position, "startsIn": turn.starts_in}
