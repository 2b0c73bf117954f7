"""An execution is over, or never began, and its job does not know: bring the job to its end.

Step Functions runs no catcher when an execution is stopped or times out as a whole. This is called
for every execution that ended badly, and by the poller for jobs past their deadline and for ended
ones with waste that is not booked; for a job that has nothing of this it does nothing.
"""

from collections.abc import Mapping
from typing import Any

from vsl.domain.errors import ExecutionStopped
from vsl.services.book_waste import book_waste
from vsl.services.finish import Books, settle
from vsl.services.ports import Provider
from vsl.services.record_failure import record_failure


def repair_execution(
    job_id: str, reason: str, given: Mapping[str, Any] | None, books: Books, provider: Provider
) -> str:
    """`nothing to do`, `announced`, `waste`, `unknown job` or `recorded`.

    `given` is the job document, if one is known.
    """
    item = books.live.get(job_id)
    if item is not None and item.result is not None:
        announced = settle(item.job, item, books)
        if item.unbooked:
            book_waste(item, books, provider)
            return "waste"
        return "announced" if announced else "nothing to do"
    job = given or (item.job.document() if item else None)
    if job is None:
        return "unknown job"
    stopped = ExecutionStopped(reason)
    document = {"job": job, "error": {"Error": stopped.code, "Cause": str(stopped)}}
    record_failure(document, books, provider)
    return "recorded"
