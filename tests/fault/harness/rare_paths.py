"""Whether the paths that matter were really taken: read from what a run left behind."""

from collections import Counter
from collections.abc import Callable, Mapping

from tests.fault.harness.world import World
from vsl.domain.jobs.job import JobEvent
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.predictions.prediction import PredictionStatus

type Seen = Callable[[World, TrackedJob, Mapping[str, JobEvent]], bool]


def _before(events: Mapping[str, JobEvent], first: str, second: str) -> bool:
    return first in events and second in events and events[first].at < events[second].at


def _counted(name: str) -> Seen:
    return lambda world, _item, _events: world.counted[name] > 0


def _adopted(source: str) -> Seen:
    return lambda _world, _item, events: (
        "submitted" in events and events["submitted"].source == source
    )


RARE_PATHS: Mapping[str, Seen] = {
    "poller won": _counted("OutcomeRecorded source=poller"),
    "webhook won": _counted("OutcomeRecorded source=webhook"),
    "webhook before create answer": lambda world, _item, _events: (
        world.attached_by_webhook_during_submit
    ),
    "outcome before token": lambda _world, _item, events: _before(
        events, "outcome_recorded", "awaiting"
    ),
    "adopted by list": _adopted("list"),
    "adopted by webhook": _adopted("webhook"),
    "late duplicate canceled": lambda world, item, _events: any(
        orphan.replicate_id in world.replicate.books
        and world.replicate.books[orphan.replicate_id].prediction.status
        in {PredictionStatus.CANCELED, PredictionStatus.ABORTED}
        for orphan in item.orphans
    ),
    "orphan recorded without its webhook": lambda world, item, _events: (
        "settled" in world.repairs and any(orphan.ended for orphan in item.orphans)
    ),
    "uncertain parked": lambda world, _item, _events: (
        ("SubmitPrediction", "SubmissionUncertain") in world.main.caught()
    ),
    "uncertain parked and resolved": lambda world, item, _events: (
        ("SubmitPrediction", "SubmissionUncertain") in world.main.caught()
        and item.status.value == "succeeded"
    ),
    "uncertain submitted again": lambda _world, item, _events: (
        item.attempt > 1 and not item.abandoned_ids and item.status.value == "succeeded"
    ),
    "timeout found a finished prediction": lambda _world, item, _events: (
        item.outcome is not None
        and item.outcome.source == "timeout"
        and item.status.value == "succeeded"
    ),
    "rerun after interruption": lambda _world, item, _events: (
        bool(item.abandoned_ids) and item.status.value == "succeeded"
    ),
    "cancel won": lambda _world, item, _events: (
        item.cancel_requested_at is not None and item.status.value == "canceled"
    ),
    "cancel lost": lambda _world, item, _events: (
        item.cancel_requested_at is not None and item.status.value == "succeeded"
    ),
    "repair acted": lambda world, _item, _events: "recorded" in world.repairs,
    "used token answered again": lambda world, _item, _events: world.tokens.refusals > 0,
    "duplicate webhook": lambda world, _item, _events: world.results["duplicate"] > 0,
    "webhook tried again": lambda world, _item, _events: any(
        name == "process_webhook" and status >= 400 for name, status in world.answers
    ),
}


def paths_taken(world: World) -> Counter[str]:
    item = world.tracking.get(world.job.job_id)
    if item is None:
        return Counter()
    events = {event.name: event for event in item.events}
    return Counter(name for name, seen in RARE_PATHS.items() if seen(world, item, events))
