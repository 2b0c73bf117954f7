"""One Redis client a process, made late, with short time limits and a breaker.

Nothing in Redis is worth waiting for: after a failure it is left alone for a moment, so that a
dead server costs one short wait and not one on every call.
"""

import logging
import time
from collections.abc import Callable
from functools import cache
from threading import Lock

from vsl.adapters.parameters import changed
from vsl.adapters.resp import FORM, Address, Disconnected, NotAllowed, Redis, RedisError
from vsl.domain.errors import ConfigurationError, StoreUnavailable

_CONNECT_SECONDS = 0.3
_ANSWER_SECONDS = 0.5
_REST_SECONDS = 2.0

_log = logging.getLogger(__name__)


class RedisClient:
    """`url` (`redis://` or `rediss://` for TLS) is asked for at each use, which costs nothing: with
    another one comes another connection. Threads take turns: a command takes a fraction of a
    millisecond."""

    def __init__(self, url: Callable[[], str], *, rest_seconds: float = _REST_SECONDS) -> None:
        self._url = url
        self._rest_seconds = rest_seconds
        self._rest_until = 0.0
        self._redis: Redis | None = None
        self._made_for = ""
        self._turn = Lock()

    def run[Result](self, work: Callable[[Redis], Result]) -> Result:
        """What `work` returns; it may run twice, as a kept connection may have gone stale.

        Raises StoreUnavailable, at once if Redis failed a moment ago.
        """
        with self._turn:
            if time.monotonic() < self._rest_until:
                raise StoreUnavailable("Redis failed a moment ago and is left alone.")
            try:
                return self._run(work)
            except RedisError as error:
                self.close()  # it may be a server that is the wrong one by now
                self._rest_until = time.monotonic() + self._rest_seconds
                _log.warning("Redis is away: %s", error)
                raise StoreUnavailable(f"Redis did not answer: {error}") from error

    def _run[Result](self, work: Callable[[Redis], Result]) -> Result:
        try:
            return self._use(work)
        except NotAllowed:
            if not changed(self._url):
                raise
            _log.info("Redis has another password: trying that")
            return self._use(work)

    def _use[Result](self, work: Callable[[Redis], Result]) -> Result:
        redis = self._current()
        try:
            return work(redis)
        except Disconnected:
            return work(redis)

    def _current(self) -> Redis:
        url = self._url()
        if self._redis is None or url != self._made_for:
            self.close()
            self._redis, self._made_for = _make(url), url
        return self._redis

    def close(self) -> None:
        if self._redis is not None:
            self._redis.close()
            self._redis = None


@cache
def shared_client(url: Callable[[], str]) -> RedisClient:
    """The client of this process for this source of the URL: all stores rest together."""
    return RedisClient(url)


def _make(url: str) -> Redis:
    try:
        address = Address.of(url)
    except ValueError:
        # Without its cause, whose text may quote the URL and with it the password.
        raise ConfigurationError(f"The Redis URL is not {FORM}.") from None
    return Redis(address, connect_seconds=_CONNECT_SECONDS, answer_seconds=_ANSWER_SECONDS)
