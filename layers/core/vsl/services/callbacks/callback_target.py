"""The callback of a job, for a caller that may see the job."""

from vsl.domain.api.caller import Caller, job_not_found
from vsl.domain.callbacks.callback import CallbackTarget
from vsl.domain.jobs.ids import is_job_id
from vsl.services.ports.publishing import CallbackLog


def callback_target(log: CallbackLog, job_id: str, caller: Caller) -> CallbackTarget:
    """Raises JobNotFound, also for a job of another user."""
    target = log.target(job_id) if is_job_id(job_id) else None
    if target is None:
        raise job_not_found(job_id)
    caller.check(job_id, target.user_id)
    return target
