"""Remove a job from all stores: its media and personal data go, what it cost stays.

The tombstone comes first: from then on nothing is written to the job, and a step that is just storing
its files finds it and removes them. The mark in PostgreSQL comes last: a job that is marked as deleted
has nothing left anywhere, except what such a step may have written in its last moment before it died.
The cache is closed for the job before the mark, so that no reader puts back what it had read. Where the
files lie follows from the job itself, so none is lost.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vsl.domain.catalogue.uploads import is_handle, upload_id_of
from vsl.domain.jobs.job import MediaType
from vsl.domain.jobs.object_keys import JobPlace, upload_key
from vsl.domain.jobs.status import StatusDocument
from vsl.services.ports.jobs import Erasure, JobRepository
from vsl.services.ports.limits import RateLimits, StatusCache
from vsl.services.ports.media import ObjectRemoval
from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore

# Longer than StoreMedia may run (a test compares), with what S3 may still be doing for it.
SWEEP_AFTER = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class EraseJob:
    repository: JobRepository
    erasure: Erasure
    tracking: TrackingStore
    objects: ObjectRemoval
    limits: RateLimits
    cache: StatusCache
    clock: Clock

    def __call__(self, place: JobPlace, *, ended: bool = False) -> None:
        """Raises JobNotEnded, unless the job is known by another store to have `ended`."""
        now = self.clock.now()
        self.tracking.mark_deleted(place.job_id, now, now + SWEEP_AFTER, ended=ended)
        self.clear(place)

    def clear(self, place: JobPlace) -> None:
        """All but the tombstone."""
        for prefix in place.prefixes:
            self.objects.remove(prefix)
        parameters = self.repository.parameters(place.job_id) or {}
        for upload_id in _uploads(parameters):
            if not self.erasure.uses_upload(place.user_id, upload_id, place.job_id):
                self.objects.remove(upload_key(place.user_id, upload_id))
        # The step that ended the job may have died before it did this, and without the item the poller
        # does not find the job.
        self.limits.release(place.user_id, place.job_id)
        self.cache.close(place.job_id)
        self.erasure.erase(place.job_id, self.clock.now())


def place_of(document: StatusDocument) -> JobPlace:
    return JobPlace(
        document["jobId"],
        document["userId"],
        MediaType(document["mediaType"]),
        datetime.fromisoformat(document["createdAt"]),
    )


def _uploads(parameters: Mapping[str, Any]) -> Iterator[str]:
    """A text that only looks like a handle leads to an upload of the same user as well."""
    for value in parameters.values():
        if is_handle(value):
            with suppress(ValueError):
                yield upload_id_of(value)
