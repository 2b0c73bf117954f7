"""A job begins to wait for the end of its prediction."""

from dataclasses import dataclass

from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore
from vsl.services.waiting.complete_wait import CompleteWait


@dataclass(frozen=True, slots=True)
class AwaitPrediction:
    tracking: TrackingStore
    clock: Clock
    complete_wait: CompleteWait

    def __call__(self, job_id: str, task_token: str) -> tuple[int, bool]:
        """Store the token. Returns the attempt the job waits for, and True when the token could be
        completed immediately."""
        item = self.tracking.store_token(job_id, task_token, self.clock.now())
        return item.attempt, self.complete_wait(item)
