"""The two limits of a user in Redis: one script decides on both, so that neither counts in vain.

Every key stands in one slot of a cluster: the braces make the others hash as the first.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from vsl.adapters.redis_client import RedisClient, shared_client
from vsl.domain.admission import WINDOW, Admission, Limits, RecentJob, Verdict
from vsl.domain.errors import VslError
from vsl.domain.job import Job

if TYPE_CHECKING:
    from redis.commands.core import Script

LIMITS_SECONDS = 300

# Answers {verdict, jobs in the hour, jobs running, milliseconds until the hour has a place more};
# {4} for "nothing known of this user".
# ARGV: now, window (ms), jobs an hour, jobs at once, whether the history follows (0 or 1), then
# jobId, time of creation and deadline (0: ended) of the job and of each job of the history.
_ADMIT = """
local hour, running = KEYS[1], KEYS[2]
local now, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local per_hour, at_once = tonumber(ARGV[3]), tonumber(ARGV[4])
local job, created, deadline = ARGV[6], tonumber(ARGV[7]), ARGV[8]
if redis.call('EXISTS', hour) == 0 then
    if ARGV[5] == '0' then return {4} end
    for i = 9, #ARGV, 3 do
        redis.call('ZADD', hour, ARGV[i + 1], ARGV[i])
        if ARGV[i + 2] ~= '0' then redis.call('ZADD', running, ARGV[i + 2], ARGV[i]) end
    end
    redis.call('PEXPIRE', hour, window)
end
-- One older than the hour was admitted within its own.
local known = created <= now - window or redis.call('ZSCORE', hour, job)
redis.call('ZREMRANGEBYSCORE', hour, '-inf', now - window)
redis.call('ZREMRANGEBYSCORE', running, '-inf', now)
local started, active = redis.call('ZCARD', hour), redis.call('ZCARD', running)
local verdict = 0
if known then
    verdict = 1
elseif started >= per_hour then
    verdict = 2
elseif active >= at_once then
    verdict = 3
else
    redis.call('ZADD', hour, now, job)
    redis.call('PEXPIRE', hour, window)
    redis.call('ZADD', running, deadline, job)
    started, active = started + 1, active + 1
end
if active > 0 then
    local last = redis.call('ZRANGE', running, -1, -1, 'WITHSCORES')
    redis.call('PEXPIRE', running, last[2] - now)
end
local wait = window
if started > 0 and per_hour > 0 then
    local index = math.max(0, started - per_hour)
    local leaving = redis.call('ZRANGE', hour, index, index, 'WITHSCORES')
    wait = leaving[2] + window - now
end
return {verdict, started, active, wait}
"""
_VERDICTS = (Verdict.ADMITTED, Verdict.AGAIN, Verdict.HOUR_IS_FULL, Verdict.TOO_MANY_RUN)
_UNKNOWN = 4


class RedisRateLimits:
    """A sliding hour and the jobs that run, per user; see `services.ports.RateLimits`."""

    def __init__(self, url: Callable[[], str], client: RedisClient | None = None) -> None:
        self._redis = client or shared_client(url)
        self._script: Script | None = None

    def admit(
        self,
        job: Job,
        limits: Limits,
        now: datetime,
        history: Callable[[], Sequence[RecentJob]],
    ) -> Admission:
        answer = self._admit(job, limits, now, None)
        if answer[0] == _UNKNOWN:
            answer = self._admit(job, limits, now, history())
        verdict, started, running, wait = answer
        return Admission(_VERDICTS[verdict], started, running, wait / 1000)

    def release(self, user_id: str, job_id: str) -> None:
        try:
            self._redis.run(lambda redis: redis.zrem(_running_key(user_id), job_id))
        except VslError:
            return  # the job's deadline gives the place back

    def withdraw(self, user_id: str, job_id: str) -> None:
        def call(redis: Any) -> None:
            for key in (_hour_key(user_id), _running_key(user_id)):
                redis.zrem(key, job_id)

        try:
            self._redis.run(call)
        except VslError:
            return  # as above, and the hour forgets it within the hour

    def cached_limits(self, user_id: str) -> Limits | None:
        value = self._redis.run(lambda redis: redis.get(_limits_key(user_id)))
        if value is None:
            return None
        per_hour, concurrent = cast("str", value).split()
        return Limits(int(per_hour), int(concurrent))

    def cache_limits(self, user_id: str, limits: Limits) -> None:
        text = f"{limits.per_hour} {limits.concurrent}"
        self._redis.run(lambda redis: redis.set(_limits_key(user_id), text, ex=LIMITS_SECONDS))

    def _admit(
        self, job: Job, limits: Limits, now: datetime, history: Sequence[RecentJob] | None
    ) -> list[int]:
        arguments: list[str | int] = [
            _milliseconds(now),
            round(WINDOW.total_seconds() * 1000),
            limits.per_hour,
            limits.concurrent,
            0 if history is None else 1,
        ]
        own = RecentJob(job.job_id, job.created_at, job.deadline)
        for each in (own, *(history or ())):
            deadline = 0 if each.deadline is None else _milliseconds(each.deadline)
            arguments += [each.job_id, _milliseconds(each.created_at), deadline]
        keys = [_hour_key(job.user_id), _running_key(job.user_id)]

        def call(redis: Any) -> list[int]:
            if self._script is None:
                self._script = redis.register_script(_ADMIT)
            return [int(each) for each in self._script(keys=keys, args=arguments, client=redis)]

        return self._redis.run(call)


def _hour_key(user_id: str) -> str:
    return f"ratelimit:user:{user_id}:hour"


def _running_key(user_id: str) -> str:
    return f"{{{_hour_key(user_id)}}}:running"


def _limits_key(user_id: str) -> str:
    return f"ratelimit:user:{user_id}:limits"


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
