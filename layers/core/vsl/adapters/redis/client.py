"""One redis-py client a process, connected late, with short time limits and a breaker.

Nothing in Redis is worth waiting for: after a failure it is left alone for a moment, so that a
dead server costs two short waits and not two on every call.
"""

import logging
import time
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha1
from threading import Lock
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from vsl.adapters.aws.parameters import Secret, changed
from vsl.adapters.redis.address import FORM, AddressError, RedisAddress
from vsl.domain.errors import ConfigurationError, StoreUnavailable, VslError

CONNECT_SECONDS = 0.3
ANSWER_SECONDS = 0.5
_REST_SECONDS = 2.0
# A kept connection may have died while the function was frozen, with or without a word: once more, on a
# new one. Every command of ours may be done twice.
_ATTEMPTS_MORE = 1
# What redis-py raises of a server that breaks off, refuses, or answers with something else than asked.
_FAILED = (
    redis.RedisError,
    redis.RedisClusterException,
    OSError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
)

type Redis = redis.Redis | redis.RedisCluster

_log = logging.getLogger(__name__)


class RedisClient:
    """`url` (`redis_address.FORM`) is asked for at each use, which costs nothing: with another one comes
    another connection. Threads take turns: a command takes a fraction of a millisecond."""

    def __init__(self, url: Callable[[], str], *, rest_seconds: float = _REST_SECONDS) -> None:
        self._url = url
        self._rest_seconds = rest_seconds
        self._rest_until = 0.0
        self._redis: Redis | None = None
        self._made_for = ""
        self._turn = Lock()

    def run[Result](self, work: Callable[[Redis], Result]) -> Result:
        """What `work` returns; its commands may be done twice, as a kept connection may have gone stale.

        Raises StoreUnavailable, at once if Redis failed a moment ago.
        """
        with self._turn:
            if time.monotonic() < self._rest_until:
                raise StoreUnavailable("Redis failed a moment ago and is left alone.")
            try:
                return self._run(work)
            except VslError:
                raise  # of the address
            except _FAILED as error:
                self.close()  # it may be a server that is the wrong one by now
                self._rest_until = time.monotonic() + self._rest_seconds
                reason = _reason(error)
                _log.warning("Redis is away: %s", reason)
                raise StoreUnavailable(f"Redis did not answer: {reason}") from error
            except BaseException:
                self.close()  # whatever was interrupted may have left an answer unread
                raise

    def _run[Result](self, work: Callable[[Redis], Result]) -> Result:
        try:
            return work(self._current())
        except _FAILED as error:
            if not (_is_refusal(error) and changed(self._url)):
                raise
            _log.info("Redis has another password: trying that")
            return work(self._current())

    def _current(self) -> Redis:
        url = self._url()
        if self._redis is None or url != self._made_for:
            self.close()
            self._redis, self._made_for = _connected(self._address(url)), url
        return self._redis

    def _address(self, url: str) -> RedisAddress:
        try:
            return RedisAddress.of(url)
        except AddressError as error:
            parameter = self._url.path if isinstance(self._url, Secret) else "redis-url"
            message = f"The address of Redis is wrong: {error}. Write {parameter} as {FORM}."
            # Without its cause, whose text may quote the URL and with it the password.
            raise ConfigurationError(message, parameter=parameter) from None

    def close(self) -> None:
        if self._redis is not None:
            self._redis.close()
            self._redis = None


@cache
def shared_client(url: Callable[[], str]) -> RedisClient:
    """The client of this process for this source of the URL: all stores rest together."""
    return RedisClient(url)


def run_script(server: Redis, source: str, keys: Sequence[str], args: Sequence[str | float]) -> Any:
    """By its hash, as the server keeps it; in full where it does not.

    Without redis-py's own `Script`, which sends it to every node of a cluster and then asks again.
    """
    try:
        return server.evalsha(digest(source), len(keys), *keys, *args)
    except redis.exceptions.NoScriptError:
        return server.eval(source, len(keys), *keys, *args)


@cache
def digest(source: str) -> str:
    return sha1(source.encode(), usedforsecurity=False).hexdigest()


def _connected(address: RedisAddress) -> Redis:
    """What the address says wins over what is said here. RESP2 without a driver's name needs no round
    trip before the first command but for AUTH."""
    retry = Retry(NoBackoff(), _ATTEMPTS_MORE, (redis.ConnectionError, redis.TimeoutError))
    common: dict[str, Any] = {
        "decode_responses": True,
        "driver_info": None,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        "protocol": 2,
        "retry": retry,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
    }
    if address.cluster:
        return redis.RedisCluster.from_url(address.url, **common)
    # A pool looks at its connection before each command, a third of what a command takes.
    return redis.Redis.from_url(address.url, single_connection_client=True, **common)


def _reason(error: Exception) -> str:
    """With the code of the server's answer, which redis-py takes off."""
    if isinstance(error, redis.exceptions.MovedError):
        return "it is a cluster; add the option cluster=true to its address"
    code = getattr(error, "status_code", None)
    return " ".join(part for part in (code, str(error)) if part) or type(error).__name__


def _is_refusal(error: BaseException | None) -> bool:
    """Whether another password was wanted; a cluster's client says so in the cause."""
    while error is not None and not isinstance(error, redis.AuthenticationError):
        error = error.__cause__
    return error is not None
