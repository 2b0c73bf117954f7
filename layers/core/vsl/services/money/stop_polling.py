"""Take a settled job out of the polling index."""

from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.services.ports.tracking import TrackingStore


def stop_polling_if_settled(item: TrackedJob | None, tracking: TrackingStore) -> None:
    """Once all of an ended job is settled, the poller need not check it any more."""
    if item is not None and item.status.terminal and not item.unsettled:
        tracking.stop_polling(item)
