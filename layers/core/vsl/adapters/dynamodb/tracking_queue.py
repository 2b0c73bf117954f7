"""A job that waits for a slot at the provider."""

from datetime import datetime

from vsl.adapters.dynamodb import tracking_item
from vsl.adapters.dynamodb.item_table import ALIVE, EXISTS, ItemTable
from vsl.adapters.dynamodb.tracking_item import milliseconds, shard
from vsl.domain.jobs.job import JobEvent
from vsl.domain.jobs.tracked_job import TrackedJob, required


class TrackingQueue(ItemTable):
    def join_queue(
        self, job_id: str, task_token: str, at: datetime, deadline: datetime
    ) -> TrackedJob:
        queued = tracking_item.event_map(JobEvent("queued", at))
        item, _ = self._try(
            job_id,
            "SET taskToken = :token, queuedAt = if_not_exists(queuedAt, :at), deadlineAt = :deadline,"
            " inFlightShard = :shard, nextCheckAt = :deadline, events.queued = :queued"
            " REMOVE tokenCompleted",
            f"{EXISTS} AND attribute_not_exists(replicateId) AND attribute_not_exists(intentAt)"
            f" AND {ALIVE} AND (attribute_not_exists(taskToken) OR taskToken <> :token)",
            values={
                ":token": task_token,
                ":at": milliseconds(at),
                ":deadline": milliseconds(deadline),
                ":shard": shard(job_id),
                ":queued": queued,
            },
        )
        return required(item, job_id)

    def leave_queue(
        self, job_id: str, task_token: str, at: datetime, deadline: datetime, check_at: datetime
    ) -> TrackedJob | None:
        dequeued = tracking_item.event_map(JobEvent("dequeued", at))
        return self._update(
            job_id,
            "SET deadlineAt = :deadline, nextCheckAt = :next, events.dequeued = :dequeued"
            " REMOVE queuedAt",
            f"taskToken = :token AND attribute_exists(queuedAt) AND {ALIVE}",
            values={
                ":token": task_token,
                ":deadline": milliseconds(deadline),
                ":next": milliseconds(check_at),
                ":dequeued": dequeued,
            },
            mine=lambda item: item.task_token == task_token and item.queued_at is None,
        )
