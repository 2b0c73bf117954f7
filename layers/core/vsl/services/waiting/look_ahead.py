"""Read the predictions of many jobs from a few pages of the provider's list.

When webhooks do not arrive, the poller has to read the prediction of every job, and one request each
exceeds the provider's limit. Jobs submitted at about the same time are adjacent in its list, a hundred
on a page. The poller reads the others one by one, so the list need not be complete.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from vsl.domain.errors import ProviderThrottled, ProviderUnavailable
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.predictions.prediction import Prediction, PredictionStatus
from vsl.services.ports.provider import Provider
from vsl.services.waiting.pace import LIST_PAGE

# Fewer are read one by one.
ENOUGH = 20
# Jobs of one list; several lists are read concurrently.
GROUP = 200
# Submissions farther apart get lists of their own.
GAP = timedelta(seconds=30)
# Between our intent and the provider's time of creation lie a POST and two clocks.
BEFORE = timedelta(seconds=0.5)
AFTER = timedelta(seconds=1.5)
# The list has other clients' predictions too: this many pages for each page that ours alone would need,
# some more, and fewer than one request for each job would take.
PAGES_FOR_ONE = 2
MORE_PAGES = 2

type _Group = Sequence[tuple[TrackedJob, datetime]]


@dataclass(frozen=True, slots=True)
class LookAhead:
    provider: Provider

    def __call__(self, items: Iterable[TrackedJob], pool: Executor) -> dict[str, Prediction]:
        """Predictions of these jobs by id, as far as the list shows them completely."""
        found: dict[str, Prediction] = {}
        lists = [pool.submit(self._listed, group) for group in _groups(items)]
        for each in lists:
            found |= each.result()
        return found

    def _listed(self, group: _Group) -> dict[str, Prediction]:
        found: dict[str, Prediction] = {}
        wanted = {item.replicate_id for item, _ in group}
        since, until = group[0][1] - BEFORE, group[-1][1] + AFTER
        # What the list does not show is read by its id, and fails there if it must.
        with suppress(ProviderThrottled, ProviderUnavailable):
            entries = self.provider.list_since(since, until)
            for prediction in islice(entries, _pages(group) * LIST_PAGE):
                if prediction.id in wanted and _is_complete(prediction):
                    found[prediction.id] = prediction
                    wanted.discard(prediction.id)
                if not wanted:
                    break
        return found


def _pages(group: _Group) -> int:
    """By how close together ours are."""
    span = (group[-1][1] - group[0][1]).total_seconds()
    margin = (BEFORE + AFTER).total_seconds()
    expected = len(group) * (1 + margin / max(span, 0.01))
    pages = MORE_PAGES + PAGES_FOR_ONE * math.ceil(expected / LIST_PAGE)
    return min(pages, len(group) // 2)


def _groups(items: Iterable[TrackedJob]) -> Iterator[_Group]:
    """Jobs whose prediction is known, by the time of their submission, that are worth a list."""
    asked = sorted(
        ((item, item.intent_at) for item in items if item.replicate_id and item.intent_at),
        key=lambda each: each[1],
    )
    group: list[tuple[TrackedJob, datetime]] = []
    for each in asked:
        if group and (len(group) == GROUP or each[1] - group[-1][1] > GAP):
            if len(group) >= ENOUGH:
                yield group
            group = []
        group.append(each)
    if len(group) >= ENOUGH:
        yield group


def _is_complete(prediction: Prediction) -> bool:
    """A success without its output is read by its id."""
    return prediction.status is not PredictionStatus.SUCCEEDED or prediction.output is not None
