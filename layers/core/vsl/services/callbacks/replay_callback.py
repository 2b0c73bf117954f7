"""Another delivery of a job's end, on request."""

from dataclasses import dataclass
from typing import Any

from vsl.domain.api.caller import Caller
from vsl.domain.errors import JobNotEnded, NoCallbackUrl
from vsl.services.callbacks.callback_target import callback_target
from vsl.services.ports.publishing import CallbackLog, CallbackQueue


@dataclass(frozen=True, slots=True)
class ReplayCallback:
    log: CallbackLog
    queue: CallbackQueue

    def __call__(self, job_id: str, delivery_id: str, caller: Caller) -> dict[str, Any]:
        """Raises JobNotFound, JobNotEnded and NoCallbackUrl."""
        target = callback_target(self.log, job_id, caller)
        if target.url is None:
            raise NoCallbackUrl("The job was asked for without a callbackUrl.", jobId=job_id)
        if not target.status.terminal:
            message = "The job has not ended: its client will be called then."
            raise JobNotEnded(message, jobId=job_id)
        self.queue.enqueue(job_id, delivery_id)
        return {"jobId": job_id, "deliveryId": delivery_id}
