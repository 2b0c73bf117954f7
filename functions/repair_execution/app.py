"""RepairExecution: an execution ended badly, or the poller found a job without one."""

import json
from datetime import UTC, datetime

from vsl.domain.ids import is_job_id
from vsl.runtime.handler import Context, Event, step
from vsl.runtime.observability import logger
from vsl.runtime.wiring import books, provider
from vsl.services.accept_request import Execution
from vsl.services.repair_execution import repair_execution


@step
def handler(event: Event, _context: Context) -> Event:
    detail = event.get("detail")
    if detail is None:
        job_id, given, reason = event["jobId"], None, "The job has no execution that still runs."
    else:
        started = datetime.fromtimestamp(detail["startDate"] / 1000, UTC)
        job_id = Execution(detail["executionArn"], detail["name"], started).job_id
        given = _job(detail.get("input"))
        reason = f"The execution ended as {detail['status']}."
    result = repair_execution(job_id, reason, given, books(), provider())
    logger.info("repaired", extra={"job_id": job_id, "result": result})
    return {"jobId": job_id, "result": result}


def _job(text: str | None) -> Event | None:
    """The job document in an execution's input; one started by hand has none."""
    job = json.loads(text or "{}").get("job")
    return job if isinstance(job, dict) and is_job_id(job.get("jobId")) else None
