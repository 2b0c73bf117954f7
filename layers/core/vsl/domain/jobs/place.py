"""A job's place in the queue for the provider, and when its turn should come."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from vsl.domain.jobs.job import iso


class PlaceDocument(TypedDict):
    """As the API shows it: all null where nothing is known."""

    queuePosition: int | None
    estimatedStart: str | None
    estimatedStartEarliest: str | None
    estimatedStartLatest: str | None


NO_PLACE = PlaceDocument(
    queuePosition=None, estimatedStart=None, estimatedStartEarliest=None, estimatedStartLatest=None
)


@dataclass(frozen=True, slots=True)
class Place:
    """`position` from 1, and the estimated wait in seconds: as the queue moves now, and the bounds between
    which it probably is. Position 0: there is a slot, and the job would start at once."""

    position: int
    starts_in: float = 0.0
    earliest: float = 0.0
    latest: float = 0.0

    def document(self, now: datetime) -> PlaceDocument:
        """In whole seconds: more would be different at every look."""
        return PlaceDocument(
            queuePosition=self.position,
            estimatedStart=_at(now, math.ceil, self.starts_in),
            estimatedStartEarliest=_at(now, math.floor, self.earliest),
            estimatedStartLatest=_at(now, math.ceil, self.latest),
        )


def _at(now: datetime, whole: Callable[[float], int], seconds: float) -> str:
    at = whole(now.timestamp() + seconds)
    return iso(datetime.fromtimestamp(at, now.tzinfo))
