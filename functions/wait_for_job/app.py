"""WaitForJob: the answer to a request with `Prefer: wait`, the job's end if it comes in time.

Without a place to wait the answer is the 202 alone, without `Preference-Applied`.
"""

from datetime import datetime

from vsl.runtime.handler import ASK_AGAIN, Context, Response, answer, step
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.payloads import WaitForJobInput
from vsl.runtime.use_cases.reading import wait_for_job
from vsl.runtime.wiring import clock

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
    if waited.body is None:
        return {**accepted, "headers": headers}
    return answer(200, waited.body, headers)
