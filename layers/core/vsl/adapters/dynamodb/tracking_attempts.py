"""The attempts to submit a job: intents, searches, abandoned and orphaned predictions."""

from dataclasses import replace
from datetime import datetime

from vsl.adapters.dynamodb import tracking_item
from vsl.adapters.dynamodb.item_table import ALIVE, ItemTable
from vsl.adapters.dynamodb.tracking_expressions import IN_FLIGHT, in_flight_values
from vsl.adapters.dynamodb.tracking_item import milliseconds, shard
from vsl.domain.jobs.job import (
    JobEvent,
    OrphanedPrediction,
    iso,
)
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.predictions.search import Intent, Search


class TrackingAttempts(ItemTable):
    def write_intent(
        self, job_id: str, attempt: int, at: datetime, next_check_at: datetime, intent: Intent
    ) -> TrackedJob | None:
        event = tracking_item.event_map(JobEvent("intent", at, detail={"attempt": attempt}))
        return self._update(
            job_id,
            "SET attempt = :attempt, intentAt = :at, intent = :intent, inFlightShard = :shard,"
            " nextCheckAt = :next, updatedAt = :updated, events.#intent = :event REMOVE #search",
            "attempt = :previous AND attribute_not_exists(replicateId)"
            f" AND attribute_not_exists(cancelRequestedAt) AND {ALIVE}",
            names={"#intent": f"intent_{attempt}", "#search": "search"},
            values={
                ":attempt": attempt,
                ":previous": attempt - 1,
                ":at": milliseconds(at),
                ":shard": shard(job_id),
                ":next": milliseconds(next_check_at),
                ":updated": iso(at),
                ":event": event,
                ":intent": tracking_item.intent_text(intent),
            },
            mine=lambda item: item.attempt == attempt and item.intent == intent,
        )

    def save_search(self, job_id: str, attempt: int, search: Search) -> None:
        self._update(
            job_id,
            "SET #search = :search",
            "attempt = :attempt AND attribute_exists(intentAt)"
            " AND attribute_not_exists(replicateId)",
            names={"#search": "search"},
            values={":attempt": attempt, ":search": tracking_item.search_map(search)},
        )

    def withdraw_intent(self, job_id: str, attempt: int, *, released: bool = False) -> bool:
        alive = "" if released else f" AND {ALIVE}"
        updated = self._update(
            job_id,
            "REMOVE intentAt, #search",
            "attempt = :attempt AND attribute_exists(intentAt)"
            f" AND attribute_not_exists(replicateId){alive}",
            names={"#search": "search"},
            values={":attempt": attempt},
            mine=lambda item: (
                item.attempt == attempt and item.intent_at is None and item.replicate_id is None
            ),
        )
        return updated is not None

    def abandon_prediction(self, job_id: str, replicate_id: str, at: datetime) -> TrackedJob | None:
        abandoned = JobEvent("abandoned", at, detail={"replicateId": replicate_id})
        return self._update(
            job_id,
            "SET events.#abandoned = :abandoned, updatedAt = :at ADD abandonedIds :ids"
            " REMOVE replicateId, intentAt, outcome, logs, progress, events.submitted,"
            " events.outcome_recorded",
            f"replicateId = :id AND attribute_exists(outcome) AND {ALIVE}",
            names={"#abandoned": f"abandoned_{replicate_id}"},
            values={
                ":id": replicate_id,
                ":ids": {replicate_id},
                ":at": iso(at),
                ":abandoned": tracking_item.event_map(abandoned),
            },
            mine=lambda item: (
                replicate_id in item.abandoned_ids and item.replicate_id != replicate_id
            ),
        )

    def add_orphan(self, job_id: str, orphan: OrphanedPrediction) -> None:
        self._update(
            job_id,
            "SET orphans.#id = if_not_exists(orphans.#id, :orphan), " + IN_FLIGHT,
            "attribute_exists(orphans)",
            names={"#id": orphan.replicate_id},
            values={":orphan": tracking_item.orphan_map(orphan)}
            | in_flight_values(job_id, orphan.found_at),
        )

    def end_orphan(self, job_id: str, orphan: OrphanedPrediction) -> TrackedJob | None:
        return self._update(
            job_id,
            "SET orphans.#id = :orphan",
            "attribute_exists(orphans)",
            names={"#id": orphan.replicate_id},
            values={":orphan": tracking_item.orphan_map(replace(orphan, ended=True))},
        )
