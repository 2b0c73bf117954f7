"""The user wants the job to end. Nothing more is paid for; a job that is being stored still wins.

The wish is a mark on the live item that every later step honours: no attempt is claimed after it,
and no output is stored. A prediction that runs is canceled at the provider. A job whose output is
being stored by then completes: it is paid for, and its end is near.
"""

from vsl.domain.caller import Caller, job_not_found
from vsl.domain.errors import JobCanceled
from vsl.domain.ids import is_job_id
from vsl.domain.live_job import LiveJob
from vsl.domain.prediction import Outcome
from vsl.services.ports import Callbacks, Clock, LiveJobs, Metrics, Provider
from vsl.services.rendezvous import fail_wait, record_outcome


def cancel_job(
    job_id: str,
    caller: Caller,
    *,
    live: LiveJobs,
    provider: Provider,
    callbacks: Callbacks,
    clock: Clock,
    metrics: Metrics,
) -> LiveJob:
    """The job as it stands after the request; asking again is harmless. Raises JobNotFound."""
    if not is_job_id(job_id):
        raise job_not_found(job_id)
    found = live.get(job_id)
    if found is None:
        raise job_not_found(job_id)
    caller.check(job_id, found.job.user_id)
    item = live.request_cancel(job_id, clock.now())
    if item is None:
        return live.get(job_id) or found
    if item.outcome is None and item.replicate_id is not None:
        prediction = provider.cancel(item.replicate_id)
        if prediction is not None and prediction.status.terminal:
            record_outcome(
                job_id,
                Outcome.of(prediction, "user"),
                live=live,
                callbacks=callbacks,
                clock=clock,
                metrics=metrics,
            )
    elif item.outcome is None and item.intent_at is None:
        # Between two attempts, or before the first: nothing runs that could still wake the job.
        fail_wait(
            item,
            JobCanceled("The user canceled the job."),
            live=live,
            callbacks=callbacks,
            clock=clock,
        )
    return live.get(job_id) or item
