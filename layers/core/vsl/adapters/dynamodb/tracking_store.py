"""The tracking items in DynamoDB. Every write is one conditional UpdateItem, so none needs a lock.

A write whose condition does not hold answers with the item as it stands: no second look is needed.
Implements `services.ports.tracking.TrackingStore`; the attributes are those of `tracking_item`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from vsl.adapters.dynamodb import tracking_item
from vsl.adapters.dynamodb.calls import call, item_from_failed_condition
from vsl.adapters.dynamodb.item_table import (
    ALIVE,
    EXISTS,
    TERMINAL_VALUES,
    job_from_failed_condition,
)
from vsl.adapters.dynamodb.tracking_attempts import TrackingAttempts
from vsl.adapters.dynamodb.tracking_item import milliseconds, shard, tracked_job
from vsl.adapters.dynamodb.tracking_outcomes import TrackingOutcomes
from vsl.adapters.dynamodb.tracking_polling import TrackingPolling
from vsl.adapters.dynamodb.tracking_queue import TrackingQueue
from vsl.adapters.dynamodb.tracking_reads import TrackingReads
from vsl.adapters.dynamodb.values import serialized
from vsl.domain.errors import JobDeleted, JobNotEnded
from vsl.domain.jobs.job import (
    FinishedJob,
    Job,
    JobEvent,
    JobStatus,
    iso,
)
from vsl.domain.jobs.status import StatusDocument
from vsl.domain.jobs.tracked_job import TrackedJob


class DynamoTrackingStore(
    TrackingAttempts, TrackingQueue, TrackingReads, TrackingOutcomes, TrackingPolling
):
    """A job from its creation to its end; the parts between are in the modules it inherits from."""

    def create(
        self,
        job: Job,
        deadline: datetime,
        execution_arn: str | None,
        marks: Sequence[JobEvent] = (),
    ) -> TrackedJob:
        now = iso(job.created_at)
        events = (JobEvent("created", job.created_at), *marks)
        item = (
            tracking_item.key(job.job_id)
            | tracking_item.identity(job)
            | {
                "status": JobStatus.PENDING.value,
                "deadlineAt": milliseconds(deadline),
                "updatedAt": now,
                "attempt": 0,
                "checkCount": 0,
                "events": {event.name: tracking_item.event_map(event) for event in events},
                "webhooks": {},
                "orphans": {},
                # Until an attempt is made, the poller has nothing to ask but whether it was started.
                "inFlightShard": shard(job.job_id),
                "nextCheckAt": milliseconds(min(job.first_check, deadline)),
            }
        )
        if execution_arn:
            item["executionArn"] = execution_arn
        try:
            call(
                "put_item",
                TableName=self._table,
                Item=serialized(item),
                ConditionExpression="attribute_not_exists(jobId)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            there = job_from_failed_condition(error)
            if there is None:
                raise JobDeleted("The job was deleted.", jobId=job.job_id) from None
            return there
        return tracked_job(item)

    def request_cancel(self, job_id: str, at: datetime) -> TrackedJob | None:
        requested = JobEvent("cancel_requested", at, "user")
        return self._update(
            job_id,
            "SET cancelRequestedAt = if_not_exists(cancelRequestedAt, :at), updatedAt = :updated,"
            " events.cancel_requested = if_not_exists(events.cancel_requested, :requested)",
            f"{EXISTS} AND {ALIVE}",
            values={
                ":at": milliseconds(at),
                ":updated": iso(at),
                ":requested": tracking_item.event_map(requested),
            },
        )

    def record_event(self, job_id: str, event: JobEvent, status: JobStatus | None = None) -> bool:
        expression = "SET events.#event = if_not_exists(events.#event, :event), updatedAt = :at"
        values: dict[str, Any] = {":event": tracking_item.event_map(event), ":at": iso(event.at)}
        if status:
            expression += ", #status = :status"
            values[":status"] = status.value
        marked = self._update(
            job_id,
            expression,
            f"{EXISTS} AND {ALIVE}",
            names={"#event": event.name},
            values=values,
        )
        return marked is not None

    def mark_deleted(
        self, job_id: str, at: datetime, sweep_at: datetime, *, ended: bool = False
    ) -> None:
        # An ended job that the poller still looks at has a prediction that is not settled.
        condition = (
            "attribute_not_exists(jobId) OR attribute_exists(deletedAt)"
            " OR (#status IN (:succeeded, :failed, :canceled)"
            " AND attribute_not_exists(inFlightShard))"
        )
        conditions: dict[str, Any] = {
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": serialized(TERMINAL_VALUES),
        }
        try:
            call(
                "put_item",
                TableName=self._table,
                Item=serialized(tracking_item.tombstone(job_id, at, sweep_at)),
                **({} if ended else conditions),
            )
        except ClientError as error:
            item_from_failed_condition(error)
            message = "The job has not ended, or what it cost is not settled."
            raise JobNotEnded(message, jobId=job_id) from None

    def forget(self, job_id: str, now: datetime) -> bool:
        try:
            call(
                "delete_item",
                TableName=self._table,
                Key=serialized(tracking_item.key(job_id)),
                ConditionExpression="sweepAt <= :now",
                ExpressionAttributeValues=serialized({":now": milliseconds(now)}),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            return not item_from_failed_condition(error)  # gone, by this very call perhaps
        return True

    def finish(self, finished: FinishedJob, document: StatusDocument) -> TrackedJob | None:
        """A job that failed before it had an item gets one here, so that its status can be read."""
        job, ended = finished.job, document["completedAt"] or iso(finished.completed_at)
        defaults = tracking_item.identity(job) | {
            "deadlineAt": milliseconds(finished.completed_at),
            "attempt": finished.attempt,
            "events": {},
            "webhooks": {},
            "orphans": {},
        }
        sets = {f"#d{n} = if_not_exists(#d{n}, :d{n})" for n in range(len(defaults))}
        names = {f"#d{n}": name for n, name in enumerate(defaults)} | {"#result": "result"}
        values: dict[str, Any] = {f":d{n}": value for n, value in enumerate(defaults.values())}
        written: dict[str, Any] = {
            "#status": finished.status.value,
            "#result": tracking_item.result_text(document),
            "completedAt": ended,
            "updatedAt": ended,
            "logs": document["logs"] or None,
            "taskToken": None,
            "queuedAt": None,
            "settledId": finished.replicate_id if finished.settled else None,
            "inFlightShard": None,
            "nextCheckAt": None,
        }
        if not finished.settled:
            # What the prediction costs is still to be learnt.
            written |= {"inFlightShard": shard(job.job_id)}
            written |= {"nextCheckAt": milliseconds(finished.completed_at)}
            if finished.replicate_id is None and finished.attempt:
                # Withdrawn since the end was written with a hold: it is there until that is released.
                sets |= {"intentAt = if_not_exists(intentAt, :updated)"}
                values[":updated"] = milliseconds(finished.completed_at)
        kept = {name: value for name, value in written.items() if value is not None}
        sets |= {f"{name} = :v{n}" for n, name in enumerate(kept)}
        values |= {f":v{n}": value for n, value in enumerate(kept.values())}
        return self._update(
            job.job_id,
            "SET "
            + ", ".join(sorted(sets))
            + " REMOVE "
            + ", ".join(sorted(written.keys() - kept.keys())),
            f"attribute_not_exists(deletedAt) AND (attribute_not_exists(jobId) OR ({ALIVE}))",
            names=names,
            values=values,
            # Also written by an earlier run of the step: what has been learnt since stays.
            mine=lambda item: item.status is finished.status,
        )

    def settle(
        self, job_id: str, replicate_id: str, document: StatusDocument | None
    ) -> TrackedJob | None:
        values: dict[str, Any] = {":id": replicate_id}
        update = "SET settledId = :id"
        names: dict[str, str] = {}
        if document is not None:
            update += ", #result = :result"
            names["#result"] = "result"
            values[":result"] = tracking_item.result_text(document)
        return self._update(
            job_id, update, f"replicateId = :id AND NOT ({ALIVE})", names=names, values=values
        )

    def mark_published(self, job_id: str) -> None:
        self._update(job_id, "SET published = :true", EXISTS, values={":true": True})
