"""A job's prediction is on its way: its client is told, if it asked to be.

The delivery is the same however often this runs. A job whose submission stayed uncertain until a webhook or
the poller found its prediction is not told of, nor is any while SQS is away: a prediction that is paid
for must not fail for a courtesy. The end is what always comes.
"""

from contextlib import suppress
from dataclasses import dataclass

from vsl.domain.callbacks.callback import THE_START
from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.job import CallbackEvent, Job
from vsl.services.ports.publishing import CallbackQueue


@dataclass(frozen=True, slots=True)
class PublishStart:
    queue: CallbackQueue

    def __call__(self, job: Job) -> None:
        if job.calls_for(CallbackEvent.STARTED):
            with suppress(StoreUnavailable):
                self.queue.enqueue(job.job_id, THE_START)
