"""The two limits of a user in Redis: one script decides on both, so that neither counts in vain.

It remembers the limits as well, so that a user who is known costs one call.

Every key stands in one slot of a cluster: the braces make the others hash as the first.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from vsl.adapters.clock import epoch_ms
from vsl.adapters.redis.client import Redis, RedisClient, run_script, shared_client
from vsl.domain.api.limits import WINDOW, Admission, Limits, RecentJob, Verdict
from vsl.domain.errors import VslError
from vsl.domain.jobs.job import Job

LIMITS_SECONDS = 300


def _script(*parts: str) -> str:
    return "".join(parts).replace("WINDOW", str(round(WINDOW.total_seconds() * 1000)))


# Answers with numbers in one text: verdict, jobs in the hour, jobs running, milliseconds until the hour
# has a place more, jobs an hour, jobs at once; or with 4 and what is not known of this user: 1 the
# limits, 2 the history, 3 both.
# ARGV: the jobId; now and the job's deadline (ms); when it was created (ms), if it is written down, else
# 0 (one that is was admitted then: it takes its place, whatever the limits say by now); the user's
# limits where they are not left to memory: jobs an hour, jobs at once, seconds to remember them (0:
# not), in one text; `history` where it follows: jobId, time of creation and deadline (0: ended) of each
# job. A job that waits for the provider keeps its place until its wait must end: the set lives that long.
_KEEP_RUNNING = """
local function keep_running()
    local last = redis.call('ZREVRANGE', running, 0, 0, 'WITHSCORES')[2] or 0
    redis.call('PEXPIRE', running, math.max(window, math.ceil(last - now)))
end
"""

ADMIT = _script(
    """
local hour, running, window = KEYS[1], KEYS[2], WINDOW
local job, now, deadline = ARGV[1], tonumber(ARGV[2]), ARGV[3]
""",
    _KEEP_RUNNING,
    """
local created = tonumber(ARGV[4])
local missing = 0
local limits, keep = string.match(ARGV[5], '(.+) (%d+)')
if not limits then
    limits = redis.call('GET', KEYS[3]) or ''
elseif keep ~= '0' then
    redis.call('SET', KEYS[3], limits, 'EX', keep)
end
local per_hour, at_once = string.match(limits, '(%d+) (%d+)')
per_hour, at_once = tonumber(per_hour), tonumber(at_once)
if not per_hour then missing = 1 end
local started = redis.call('ZCARD', hour)
if started == 0 then
    if ARGV[6] ~= 'history' then
        missing = missing + 2
    elseif missing == 0 then
        for i = 7, #ARGV, 3 do
            started = started + redis.call('ZADD', hour, ARGV[i + 1], ARGV[i])
            if ARGV[i + 2] ~= '0' then redis.call('ZADD', running, ARGV[i + 2], ARGV[i]) end
        end
        redis.call('PEXPIRE', hour, window)
        keep_running()
    end
end
if missing > 0 then return tostring(4 + missing) end
started = started - redis.call('ZREMRANGEBYSCORE', hour, '-inf', now - window)
redis.call('ZREMRANGEBYSCORE', running, '-inf', now)
local active = redis.call('ZCARD', running)
local verdict = 0
local before = redis.call('ZSCORE', hour, job)
if created > 0 then
    verdict = 1
    if created > now - window then
        started = started + redis.call('ZADD', hour, 'NX', created, job)
        redis.call('PEXPIRE', hour, window)
    end
    if tonumber(deadline) > now then
        active = active + redis.call('ZADD', running, 'NX', deadline, job)
        keep_running()
    end
elseif before then
    -- Admitted earlier; or by this very call, which is sent again when its answer is lost.
    if tonumber(before) ~= now then verdict = 1 end
elseif started < per_hour and active < at_once then
    redis.call('ZADD', hour, now, job)
    redis.call('PEXPIRE', hour, window)
    redis.call('ZADD', running, deadline, job)
    keep_running()
    started, active = started + 1, active + 1
elseif started >= per_hour then
    verdict = 2
else
    verdict = 3
end
local wait = window
if started > 0 and per_hour > 0 then
    local index = math.max(0, started - per_hour)
    local leaving = redis.call('ZRANGE', hour, index, index, 'WITHSCORES')
    wait = leaving[2] + window - now
end
return verdict .. ' ' .. started .. ' ' .. active .. ' ' .. wait .. ' ' .. limits
""",
)
# KEYS: as above, the second alone. ARGV: the jobId, now and until when it keeps its place (ms).
EXTEND = _script(
    """
local running, window = KEYS[1], WINDOW
local job, now = ARGV[1], tonumber(ARGV[2])
""",
    _KEEP_RUNNING,
    """
if redis.call('ZADD', running, 'XX', 'CH', ARGV[3], job) == 1 then keep_running() end
return 1
""",
)
_VERDICTS = (Verdict.ADMITTED, Verdict.AGAIN, Verdict.HOUR_IS_FULL, Verdict.TOO_MANY_RUN)
_LIMITS_UNKNOWN, _HISTORY_UNKNOWN, _BOTH_UNKNOWN = 5, 6, 7


class RedisRateLimits:
    """A sliding hour and the jobs that run, per user; see `services.ports.limits.RateLimits`."""

    def __init__(self, url: Callable[[], str], client: RedisClient | None = None) -> None:
        self._redis = client or shared_client(url)

    def admit(
        self,
        job: Job,
        now: datetime,
        default: Limits,
        own: Callable[[], Limits | None],
        history: Callable[[], Sequence[RecentJob]],
        *,
        created: bool = False,
    ) -> tuple[Admission, Limits]:
        limits: Limits | None = None
        recent: Sequence[RecentJob] | None = None
        keep = 0
        answer = self._admit(job, now, None, 0, None, created=created)
        # Once for what is missing; again only if something expired in between.
        while len(answer) == 1:
            (missing,) = answer
            if missing in {_LIMITS_UNKNOWN, _BOTH_UNKNOWN}:
                found = own()
                limits, keep = found or default, LIMITS_SECONDS if found else 0
            if missing in {_HISTORY_UNKNOWN, _BOTH_UNKNOWN}:
                recent = history()
            answer = self._admit(job, now, limits, keep, recent, created=created)
        verdict, started, running, wait, per_hour, at_once = answer
        admission = Admission(_VERDICTS[verdict], started, running, wait / 1000)
        return admission, Limits(per_hour, at_once)

    def extend(self, user_id: str, job_id: str, now: datetime, until: datetime) -> None:
        arguments: list[str | float] = [job_id, epoch_ms(now), epoch_ms(until)]
        try:
            self._redis.run(
                lambda redis: run_script(redis, EXTEND, [_running_key(user_id)], arguments)
            )
        except VslError:
            return  # it lapses at the deadline that it had

    def release(self, user_id: str, job_id: str) -> None:
        try:
            self._redis.run(lambda redis: redis.zrem(_running_key(user_id), job_id))
        except VslError:
            return  # the job's deadline gives the place back

    def withdraw(self, user_id: str, job_id: str) -> None:
        def call(redis: Redis) -> None:
            for key in (_hour_key(user_id), _running_key(user_id)):
                redis.zrem(key, job_id)

        try:
            self._redis.run(call)
        except VslError:
            return  # as above, and the hour forgets it within the hour

    def _admit(
        self,
        job: Job,
        now: datetime,
        limits: Limits | None,
        keep_seconds: int,
        history: Sequence[RecentJob] | None,
        *,
        created: bool,
    ) -> list[int]:
        given = f"{limits.per_hour} {limits.concurrent} {keep_seconds}" if limits else ""
        arguments: list[str | int] = [
            job.job_id,
            epoch_ms(now),
            epoch_ms(job.deadline),
            epoch_ms(job.created_at) if created else 0,
            given,
        ]
        if history is not None:
            arguments.append("history")
            for each in history:
                deadline = 0 if each.deadline is None else epoch_ms(each.deadline)
                arguments += [each.job_id, epoch_ms(each.created_at), deadline]
        keys = [_hour_key(job.user_id), _running_key(job.user_id), _limits_key(job.user_id)]

        answer = self._redis.run(lambda redis: run_script(redis, ADMIT, keys, arguments))
        return [int(number) for number in str(answer).split()]


def _hour_key(user_id: str) -> str:
    return f"ratelimit:user:{user_id}:hour"


def _running_key(user_id: str) -> str:
    return f"{{{_hour_key(user_id)}}}:running"


def _limits_key(user_id: str) -> str:
    return f"{{{_hour_key(user_id)}}}:limits"
