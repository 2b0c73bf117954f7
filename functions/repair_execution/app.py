"""RepairExecution: an execution ended badly, or the poller found a job without one, or a deleted one.

Of a deleted job nothing is repaired: what a step may have written since is swept. Once an hour it looks
for jobs that never came to an item, and publishes what CreateJob could not of budgets that fill.
"""

import json
from datetime import UTC, datetime

from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.execution import Execution
from vsl.domain.jobs.ids import is_job_id
from vsl.runtime.handler import Context, Event, step
from vsl.runtime.initialization import at_init, prepare
from vsl.runtime.observability import logger
from vsl.runtime.use_cases.api import sweep_job
from vsl.runtime.use_cases.completion import end_forgotten, repair_execution
from vsl.runtime.use_cases.money import publish_alerts

prepare("dynamodb", "ssm")
at_init(end_forgotten, sweep_job, publish_alerts)


@step
def handler(event: Event, _context: Context) -> Event:
    if event.get("forgotten"):
        counts = end_forgotten()()
        logger.info("ended forgotten jobs", extra={"results": counts})
        return counts | {"alerts": publish_alerts()()}
    detail = event.get("detail")
    if detail is None:
        job_id, given, arn = event["jobId"], None, None
        reason = "The job has no execution that still runs."
    else:
        arn, given = detail["executionArn"], _job(detail.get("input"))
        started = datetime.fromtimestamp(detail["startDate"] / 1000, UTC)
        job_id = given["jobId"] if given else Execution(arn, detail["name"], started).job_id
        reason = f"The execution ended as {detail['status']}."
    result = "swept"
    if not sweep_job()(job_id):
        result = repair_execution()(job_id, reason, given, arn)
    logger.info("repaired", extra={"job_id": job_id, "result": result})
    if result == "not yet over":
        # The description lags behind the event, which does not come again: Lambda repeats it.
        raise StoreUnavailable("Step Functions still shows the execution as running.")
    return {"jobId": job_id, "result": result}


def _job(text: str | None) -> Event | None:
    """The job document in an execution's input; one started by hand has none."""
    job = json.loads(text or "{}").get("job")
    return job if isinstance(job, dict) and is_job_id(job.get("jobId")) else None
