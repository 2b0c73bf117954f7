"""The status documents of jobs by their tracking items, with the places of those that wait for a slot.

The queue is asked once for all of them; its answer gets as old as the cache lets a live document become.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vsl.domain.jobs.status import StatusDocument, tracked_document
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.services.ports.pacing import QueueView
from vsl.services.ports.system import Clock


@dataclass(frozen=True, slots=True)
class LiveDocuments:
    queue: QueueView
    clock: Clock

    def __call__(self, items: Mapping[str, TrackedJob]) -> dict[str, StatusDocument]:
        """By job, as the items are."""
        documents = {job_id: tracked_document(item) for job_id, item in items.items()}
        waiting = [
            job_id
            for job_id, item in items.items()
            if item.queued_at is not None and not item.status.terminal
        ]
        if waiting:
            now = self.clock.now()
            for job_id, place in self.queue.look(waiting, now).items():
                documents[job_id] = {**documents[job_id], "place": place.document(now)}
        return documents
