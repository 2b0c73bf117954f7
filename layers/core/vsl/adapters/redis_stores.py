"""What Redis does for us: the hourly limit, the status cache, the memory of webhooks.

| key | holds | lives |
|---|---|---|
| `ratelimit:user:{userId}:hour` | sorted set: jobId by time of admission (ms) | 1 h after the last one |
| `ratelimit:user:{userId}:limit` | the limit in force for the user | 5 min |
| `job:status:{jobId}` | the status document as JSON; `null`: deleted | 1 h when terminal, else 2 s |
| `webhook:processed:{replicateId}` | `1` | 24 h |

Each operation touches one key, so a cluster may spread them as it likes.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from vsl.adapters.redis_client import RedisClient, shared_client
from vsl.domain.errors import VslError
from vsl.domain.job import JobStatus
from vsl.domain.status import StatusDocument

if TYPE_CHECKING:
    from redis.commands.core import Script

WINDOW_MILLISECONDS = 3_600_000
LIMIT_SECONDS = 300
TERMINAL_SECONDS = 3600
LIVE_SECONDS = 2
WEBHOOK_SECONDS = 86_400

# Answers -1 for "admitted", -2 for "nothing known of this user", else milliseconds to wait.
# ARGV: now, window (ms), limit, jobId, whether the history follows (0 or 1), the history (ms ...).
_ADMIT = """
local window = tonumber(ARGV[2])
local limit = tonumber(ARGV[3])
if redis.call('EXISTS', KEYS[1]) == 0 then
    if ARGV[5] == '0' then return -2 end
    for i = 6, #ARGV do redis.call('ZADD', KEYS[1], ARGV[i], 'earlier:' .. i) end
    redis.call('PEXPIRE', KEYS[1], window)
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1] - window)
if redis.call('ZSCORE', KEYS[1], ARGV[4]) then return -1 end
local taken = redis.call('ZCARD', KEYS[1])
if taken < limit then
    redis.call('ZADD', KEYS[1], ARGV[1], ARGV[4])
    redis.call('PEXPIRE', KEYS[1], window)
    return -1
end
if limit == 0 then return window end
local leaving = redis.call('ZRANGE', KEYS[1], taken - limit, taken - limit, 'WITHSCORES')
return leaving[2] + window - ARGV[1]
"""


class RedisRateLimits:
    """A sliding window of one hour per user; see `services.ports.RateLimits`."""

    def __init__(self, url: Callable[[], str], client: RedisClient | None = None) -> None:
        self._redis = client or shared_client(url)
        self._script: Script | None = None

    def admit(
        self,
        user_id: str,
        job_id: str,
        limit: int,
        now: datetime,
        history: Callable[[], Sequence[datetime]],
    ) -> float | None:
        answer = self._admit(user_id, job_id, limit, now, None)
        if answer == -2:
            answer = self._admit(user_id, job_id, limit, now, history())
        return None if answer == -1 else answer / 1000

    def cached_limit(self, user_id: str) -> int | None:
        value = self._redis.run(lambda redis: redis.get(_limit_key(user_id)))
        return None if value is None else int(cast("str", value))

    def cache_limit(self, user_id: str, limit: int) -> None:
        self._redis.run(lambda redis: redis.set(_limit_key(user_id), limit, ex=LIMIT_SECONDS))

    def _admit(
        self,
        user_id: str,
        job_id: str,
        limit: int,
        now: datetime,
        history: Sequence[datetime] | None,
    ) -> int:
        earlier = [_milliseconds(at) for at in history or ()]
        known = 0 if history is None else 1
        fixed = (_milliseconds(now), WINDOW_MILLISECONDS, limit, job_id, known)

        def call(redis: Any) -> int:
            if self._script is None:
                self._script = redis.register_script(_ADMIT)
            return int(
                self._script(keys=[_window_key(user_id)], args=(*fixed, *earlier), client=redis)
            )

        return self._redis.run(call)


# A live document never takes the place of another, which may be the end of the job; nothing takes the
# place of the seal on a deleted one. ARGV: the document, seconds to live, whether it is the end (0, 1).
_PUT = """
local held = redis.call('GET', KEYS[1])
if held == 'null' or (held and ARGV[3] == '0') then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""
_SEAL = "null"


class RedisStatusCache:
    """A cache that is away is a cache that misses."""

    def __init__(self, url: Callable[[], str], client: RedisClient | None = None) -> None:
        self._redis = client or shared_client(url)
        self._script: Script | None = None

    def get(self, job_id: str) -> StatusDocument | None:
        try:
            text = self._redis.run(lambda redis: redis.get(_status_key(job_id)))
            return None if text is None else cast("StatusDocument", json.loads(cast("str", text)))
        except (VslError, ValueError):
            return None

    def put(self, document: StatusDocument) -> None:
        terminal = JobStatus(document["status"]).terminal
        seconds = TERMINAL_SECONDS if terminal else LIVE_SECONDS
        arguments = (json.dumps(document), seconds, int(terminal))

        def call(redis: Any) -> None:
            if self._script is None:
                self._script = redis.register_script(_PUT)
            self._script(keys=[_status_key(document["jobId"])], args=arguments, client=redis)

        try:
            self._redis.run(call)
        except VslError:
            return

    def close(self, job_id: str) -> None:
        self._redis.run(lambda redis: redis.set(_status_key(job_id), _SEAL, ex=TERMINAL_SECONDS))


class RedisWebhookMemory:
    """A hint, never a proof: whoever finds nothing here asks the live item."""

    def __init__(self, url: Callable[[], str], client: RedisClient | None = None) -> None:
        self._redis = client or shared_client(url)

    def seen(self, replicate_id: str) -> bool:
        try:
            return bool(self._redis.run(lambda redis: redis.exists(_webhook_key(replicate_id))))
        except VslError:
            return False

    def remember(self, replicate_id: str) -> None:
        try:
            self._redis.run(
                lambda redis: redis.set(_webhook_key(replicate_id), "1", ex=WEBHOOK_SECONDS)
            )
        except VslError:
            return


def _status_key(job_id: str) -> str:
    return f"job:status:{job_id}"


def _window_key(user_id: str) -> str:
    return f"ratelimit:user:{user_id}:hour"


def _limit_key(user_id: str) -> str:
    return f"ratelimit:user:{user_id}:limit"


def _webhook_key(replicate_id: str) -> str:
    return f"webhook:processed:{replicate_id}"


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
