"""WaitForJob: the answer to a request with `Prefer: wait`, the job's end if it comes in time."""

from datetime import datetime

from vsl.runtime.handler import Context, Event, answer, step
from vsl.runtime.wiring import accounting, clock, lazily, live_jobs, signer, status_cache
from vsl.services.get_status import StatusStores, public_status
from vsl.services.wait_for_job import wait_for_job

# Seconds after the request by which the wait is over: what is left until the machine's limit is for
# a last look at the stores and for the answer's way back.
WAIT_ENDS_AFTER = 25.0
_MARGIN = 1.0


@step
def handler(event: Event, context: Context) -> Event:
    job, accepted, asked = event["job"], event["answer"], event["wait"]
    elapsed = (clock.now() - datetime.fromisoformat(event["startedAt"])).total_seconds()
    seconds = min(
        asked,
        WAIT_ENDS_AFTER - elapsed,
        context.get_remaining_time_in_millis() / 1000 - _MARGIN,
    )
    stores = StatusStores(status_cache(), lazily(live_jobs), lazily(accounting))
    document = wait_for_job(job["jobId"], job["userId"], seconds, stores)
    headers = {**accepted["headers"], "Preference-Applied": f"wait={asked}"}
    if document is None:
        return {**accepted, "headers": headers}
    return answer(200, public_status(document, signer(), clock.now()), headers)
