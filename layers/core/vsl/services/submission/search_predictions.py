"""Does the provider have a prediction of this intent? Found, absent, or not known yet.

The list is read for the window in which the prediction was created (`domain.predictions.search`). An
entry without its webhook is read by its id, the likely ones first; one that another of our jobs has
attached need not be read. Absent means that every entry of the window was examined: an entry that could
not be read, or a list that broke off, leaves the question open.

Each run reads a limited number of entries. A search that has begun to decide goes on where the last run
stopped, from the newest entry to the oldest. The window is closed by then, so each run leaves fewer
entries, and the search ends however many there are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from vsl.domain.errors import (
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
    VslError,
)
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.domain.jobs.webhook_url import parse_webhook_url
from vsl.domain.predictions.prediction import Prediction
from vsl.domain.predictions.search import Search, boundary, resembles, window
from vsl.services.ports.provider import Provider
from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore

# Of one run. A step and the poller have other things to do, and the provider's limit on reading
# (3,000 a minute) is shared.
MAX_ENTRIES = 2000
MAX_READINGS = 150
MAX_LIKELY = 30
# In the item, which every write pays for.
MAX_REMEMBERED = 400
TIME = timedelta(seconds=10)

_NOT_READABLE = (ProviderThrottled, ProviderUnavailable)

type Trace = tuple[int, Prediction]


@dataclass(frozen=True, slots=True)
class Result:
    """`traces` are the job's own predictions with their attempts, the earliest attempt first.

    `complete`: everything was examined. `search` is where the next run goes on, None if this one has
    decided nothing; `error` is what the provider would not read.
    """

    traces: tuple[Trace, ...] = ()
    complete: bool = False
    search: Search | None = None
    error: VslError | None = None


@dataclass(frozen=True, slots=True)
class SearchPredictions:
    tracking: TrackingStore
    provider: Provider
    clock: Clock

    def __call__(self, item: TrackedJob, *, decide: bool) -> Result:
        """One run for one job. With `decide`, absence is looked for too, not only what is likely."""
        return _Run(self.tracking, self.provider, self.clock, item, decide).result()


@dataclass(slots=True)
class _Run:
    tracking: TrackingStore
    provider: Provider
    clock: Clock
    item: TrackedJob
    decide: bool
    _until: datetime = field(init=False)
    _readings: int = field(init=False, default=0)
    _examined: set[str] = field(init=False, default_factory=set)
    _error: VslError | None = field(init=False, default=None)

    def result(self) -> Result:
        item = self.item
        assert item.intent_at is not None  # noqa: S101 - nothing was sent without an intent
        since, until = window(item.intent_at)
        if item.search is not None:
            until = item.search.before
            self._examined |= item.search.examined
        self._examined |= item.abandoned_ids | {orphan.replicate_id for orphan in item.orphans}
        self._until = self.clock.now() + TIME
        entries, whole = self._listed(since, until)
        traces = sorted(self._traces(entries), key=lambda trace: trace[0])
        if traces or not self.decide:
            return Result(tuple(traces), error=self._error)
        return self._decided(entries, whole, until)

    def _listed(self, since: datetime, until: datetime) -> tuple[Sequence[Prediction], bool]:
        """The entries of the window, newest first, and whether these are all."""
        entries: list[Prediction] = []
        try:
            for entry in self.provider.list_since(since, until):
                if len(entries) == MAX_ENTRIES or self.clock.now() >= self._until:
                    return entries, False
                if entry.created_at is None or since <= entry.created_at <= until:
                    entries.append(entry)
        except (*_NOT_READABLE, ProviderRejected) as error:
            self._error = error
            return entries, False
        return entries, True

    def _traces(self, entries: Sequence[Prediction]) -> Iterator[Trace]:
        """All that the list tells by itself; else what is found among the likely, then the others."""
        silent = []
        for entry in entries:
            if entry.id in self._examined:
                continue
            if entry.webhook is None:
                silent.append(entry)
            else:
                yield from self._classify(entry)
        for group in self._groups(silent):
            traces = list(self._read(group))
            if traces:
                yield from traces
                return

    def _groups(self, entries: Sequence[Prediction]) -> Iterator[Sequence[Prediction]]:
        """What to read first: what looks like the one sent, what is near in time, then one by one."""
        if self.item.search is None:
            nearest = sorted(entries, key=lambda entry: _distance(self.item, entry))
            alike = [entry for entry in nearest if resembles(entry, self.item.intent)][:MAX_LIKELY]
            yield alike
            yield [entry for entry in nearest if entry not in alike][: MAX_LIKELY - len(alike)]
        if self.decide:
            yield entries

    def _read(self, entries: Sequence[Prediction]) -> Iterator[Trace]:
        for entry in entries:
            if entry.id in self._examined:
                continue
            if self._readings >= MAX_READINGS or self.clock.now() >= self._until:
                return
            try:
                yield from self._look(entry)
            except _NOT_READABLE as error:
                self._error = error
                return  # it would not read the others either

    def _look(self, entry: Prediction) -> Iterator[Trace]:
        """Ask for one entry. One that does not tell whose it is stays unexamined."""
        if self.tracking.find_job_id(entry.id) not in {None, self.item.job.job_id}:
            self._examined.add(entry.id)
            return
        self._readings += 1
        try:
            prediction = self.provider.get(entry.id)
        except ProviderRejected as error:
            self._error = error
            return
        # Just created, it may be unknown for a moment; an hour later its data is gone. One that tells
        # no webhook is another program's, unless it looks like ours.
        if prediction is None or (
            prediction.webhook is None
            and (prediction.data_removed or resembles(prediction, self.item.intent))
        ):
            return
        yield from self._classify(prediction)

    def _classify(self, prediction: Prediction) -> Iterator[Trace]:
        self._examined.add(prediction.id)
        key = parse_webhook_url(prediction.webhook)
        if key and key.job_id == self.item.job.job_id:
            yield key.attempt, prediction

    def _decided(self, entries: Sequence[Prediction], whole: bool, until: datetime) -> Result:
        left = [entry for entry in entries if entry.id not in self._examined]
        if whole and not left:
            return Result(complete=True)
        before = until
        for first in (left or entries[-1:])[:1]:
            if first.created_at is not None:
                before = min(until, boundary(first.created_at))
        # Newer ones need not be remembered one by one, and a few suffice: they save readings.
        seam = [
            entry.id
            for entry in entries
            if entry.id in self._examined
            and (entry.created_at is None or entry.created_at < before)
        ]
        search = Search(before, frozenset(seam[:MAX_REMEMBERED]))
        begun = search.before < until or search.examined
        return Result(search=search if begun else None, error=self._error)


def _distance(item: TrackedJob, entry: Prediction) -> float:
    if item.intent_at is None or entry.created_at is None:
        return 0.0
    return abs((entry.created_at - item.intent_at).total_seconds())
