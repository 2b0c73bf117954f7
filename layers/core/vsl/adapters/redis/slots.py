"""Implements `services.ports.pacing.Slots` in Redis. Every key stands in one slot of a cluster."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from itertools import batched
from typing import Any

from vsl.adapters.clock import epoch_ms
from vsl.adapters.redis.client import RedisClient, run_script, shared_client
from vsl.adapters.redis.slot_scripts import (
    ASK,
    GIVE_BACK,
    LOOK,
    MARK,
    NEXT,
    OUTLOOK,
    SPEND,
    THROTTLED,
)
from vsl.domain.errors import VslError
from vsl.domain.jobs.flow import Flow
from vsl.domain.jobs.place import Place
from vsl.services.ports.pacing import Dispatch, Outlook, Turn

# How long a slot is kept for the job that was granted it.
KEPT_MS = 60_000
# How long a dispatcher that is called has to appear.
APPEARS_MS = 10_000
# A tenth of a minute's creations may come at once: the provider tolerates short bursts
# (https://replicate.com/docs/topics/predictions/rate-limits).
BURST_SHARE = 0.1
_AT_ONCE = 50
KEYS = tuple(f"{{pacing}}:{name}" for name in ("state", "queue", "flows", "grants", "tags"))


class RedisSlots:
    """`per_minute` is how many creations the provider takes of us."""

    def __init__(
        self, url: Callable[[], str], per_minute: int, client: RedisClient | None = None
    ) -> None:
        self._redis = client or shared_client(url)
        self._per_minute = per_minute

    def reserve(self, job_id: str, flow: Flow, now: datetime) -> Turn:
        return self._ask(job_id, flow, now, 0)

    def join(self, job_id: str, flow: Flow, now: datetime) -> Turn:
        return self._ask(job_id, flow, now, APPEARS_MS)

    def next(self, now: datetime, watched_until: datetime) -> Dispatch:
        answer = self._run(NEXT, now, KEPT_MS, epoch_ms(watched_until), _AT_ONCE)
        due_in, waiting, marked, *job_ids = answer
        return Dispatch(job_ids, None if due_in < 0 else due_in / 1000, waiting, not marked)

    def mark_complete(self, now: datetime) -> None:
        self._run(MARK, now)

    def give_back(self, job_id: str, now: datetime) -> None:
        try:
            self._run(GIVE_BACK, now, job_id)
        except VslError:
            return  # a slot lapses, and a job that has ended is passed over

    def spend(self, job_id: str, now: datetime) -> None:
        try:
            self._run(SPEND, now, job_id)
        except VslError:
            return  # there is a slot for every job

    def throttled(self, job_id: str, now: datetime, retry_after: float) -> None:
        try:
            self._run(THROTTLED, now, job_id, max(1, round(retry_after * 1000)))
        except VslError:
            return  # the next refusal says it again

    def look(self, job_ids: Collection[str], now: datetime) -> Mapping[str, Place]:
        try:
            answers = batched(self._run(LOOK, now, *job_ids), 4)
        except VslError:
            return {}
        places = {job_id: _place(*answer) for job_id, answer in zip(job_ids, answers, strict=True)}
        return {job_id: place for job_id, place in places.items() if place.position}

    def outlook(self, flow: Flow, now: datetime) -> Outlook | None:
        try:
            waiting, cost, *place = self._run(OUTLOOK, now, flow.name)
        except VslError:
            return None
        return Outlook(waiting, _place(*place), round(cost / 1000 / flow.cost))

    def waiting(self, now: datetime) -> int:
        try:
            waiting, *_ = self._run(OUTLOOK, now, "")
        except VslError:
            return 0
        return int(waiting)

    def _ask(self, job_id: str, flow: Flow, now: datetime, appears: int) -> Turn:
        try:
            answer = self._run(ASK, now, job_id, flow.name, flow.cost, KEPT_MS, appears)
        except VslError:
            return Turn(granted=True)
        granted, position, due_in, unwatched = answer
        return Turn(bool(granted), position, due_in / 1000, bool(unwatched))

    def _run(self, script: str, now: datetime, *given: str | float) -> Any:
        burst = max(1, round(self._per_minute * BURST_SHARE))
        arguments = [epoch_ms(now), self._per_minute, burst, *given]
        return self._redis.run(lambda redis: run_script(redis, script, KEYS, arguments))


def _place(position: int, wait: int, earliest: int, latest: int) -> Place:
    """Times in milliseconds."""
    return Place(position, wait / 1000, earliest / 1000, latest / 1000)
