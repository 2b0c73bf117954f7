"""Who waits for a job at this moment, in Redis: each wait is held by a running function.

A member of both sets is one wait, its score the moment (ms) at which it is over in any case: a process
that died keeps no place. Both keys stand in one slot of a cluster, as one script decides on both.
"""

from collections.abc import Callable
from datetime import datetime

from vsl.adapters.clock import epoch_ms
from vsl.adapters.redis.client import RedisClient, run_script, shared_client
from vsl.domain.errors import VslError

# ARGV: the wait, now and its end (ms), how many a user may have, how many there may be. 1: it has a place,
# also if it has had it before: the answer may have been lost, and the command been sent again.
_TAKE = """
for _, key in ipairs(KEYS) do redis.call('ZREMRANGEBYSCORE', key, '-inf', ARGV[2]) end
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 1 end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then return 0 end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[5]) then return 0 end
for _, key in ipairs(KEYS) do
    redis.call('ZADD', key, ARGV[3], ARGV[1])
    redis.call('PEXPIRE', key, 60000)
end
return 1
"""
# As a user's member or not at all: a caller gives back its own place only.
_GIVE_BACK = """
if redis.call('ZREM', KEYS[1], ARGV[1]) == 1 then redis.call('ZREM', KEYS[2], ARGV[1]) end
return 1
"""
_ALL = "{waits}:all"


class RedisWaitPlaces:
    """Implements `services.ports.limits.WaitPlaces`: `per_user` at once, and `in_all`."""

    def __init__(
        self,
        url: Callable[[], str],
        per_user: int,
        in_all: int,
        client: RedisClient | None = None,
    ) -> None:
        self._redis = client or shared_client(url)
        self._per_user = per_user
        self._in_all = in_all

    def take(self, user_id: str, wait_id: str, now: datetime, until: datetime) -> bool:
        arguments = (
            wait_id,
            epoch_ms(now),
            epoch_ms(until),
            self._per_user,
            self._in_all,
        )
        try:
            answer = self._redis.run(
                lambda redis: run_script(redis, _TAKE, _keys(user_id), arguments)
            )
        except VslError:
            return False
        return bool(answer == 1)

    def give_back(self, user_id: str, wait_id: str) -> None:
        try:
            self._redis.run(lambda redis: run_script(redis, _GIVE_BACK, _keys(user_id), [wait_id]))
        except VslError:
            return  # it is free when the wait would have been over


def _keys(user_id: str) -> list[str]:
    return [f"{{waits}}:user:{user_id}", _ALL]
