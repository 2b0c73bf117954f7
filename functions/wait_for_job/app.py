"""WaitForJob: the answer to a request with `Prefer: wait`, the job's end if it comes in time.

Without a place to wait the answer is the 202 alone, without `Preference-Applied`.
"""

import json
from datetime import datetime
from typing import Any

from vsl.runtime.handler import ASK_AGAIN, Context, Response, answer, step
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.payloads import WaitForJobInput
from vsl.runtime.use_cases.reading import wait_for_job
from vsl.runtime.wiring import clock
from vsl.services.reading.waited import Waited

prepare("s3", "ssm")
at_init(wait_for_job)

# Seconds after the request by which the wait is over: what is left until the machine's limit is for
# a last look at the stores and for the answer's way back.
WAIT_ENDS_AFTER = 25.0
_MARGIN = 1.0


@step
def handler(event: WaitForJobInput, context: Context) -> Response:
    job, accepted, asked = event["job"], event["answer"], event["wait"]
    elapsed = (clock.now() - datetime.fromisoformat(event["startedAt"])).total_seconds()
    seconds = min(
        asked,
        WAIT_ENDS_AFTER - elapsed,
        context.get_remaining_time_in_millis() / 1000 - _MARGIN,
    )
    waited = wait_for_job()(job["jobId"], job["userId"], context.aws_request_id, seconds)
    if not waited.granted:
        return {**accepted, "headers": {**accepted["headers"], **ASK_AGAIN}}
    headers = {**accepted["headers"], "Preference-Applied": f"wait={asked}"}
    if waited.body is not None and waited.ended:
        return answer(200, waited.body, headers)
    return answer(202, json.loads(accepted["body"]) | _as_it_stands(waited), headers)


def _as_it_stands(waited: Waited) -> dict[str, Any]:
    """What may have changed of the job since it was accepted."""
    return {name: waited.body[name] for name in ("status", "replicateId")} if waited.body else {}
