"""One Redis client a process, made late, with short time limits and a breaker.

Nothing in Redis is worth waiting for: after a failure it is left alone for a moment, so that a
dead server costs one short wait and not one on every call.
"""

import logging
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from vsl.adapters.parameters import changed
from vsl.domain.errors import ConfigurationError, StoreUnavailable

if TYPE_CHECKING:
    from redis import Redis

_CONNECT_SECONDS = 0.3
_ANSWER_SECONDS = 0.5
_REST_SECONDS = 2.0
_MAX_CONNECTIONS = 8
_QUEUE_SECONDS = 2.0  # for a free connection among busy threads; nothing on the network

_log = logging.getLogger(__name__)


class RedisClient:
    """`url` (`redis://` or `rediss://` for TLS) is asked for at each use, which costs nothing: with
    another one comes another client."""

    def __init__(self, url: Callable[[], str], *, rest_seconds: float = _REST_SECONDS) -> None:
        self._url = url
        self._rest_seconds = rest_seconds
        self._rest_until = 0.0
        self._client: Redis | None = None
        self._made_for = ""

    def run[Result](self, work: Callable[["Redis"], Result]) -> Result:
        """What `work` returns; it may run twice, as a pooled connection may have gone stale.

        Raises StoreUnavailable, at once if Redis failed a moment ago.
        """
        from redis.exceptions import AuthenticationError, RedisError

        if time.monotonic() < self._rest_until:
            raise StoreUnavailable("Redis failed a moment ago and is left alone.")
        try:
            try:
                return self._use(self._current(), work)
            except AuthenticationError:
                if not changed(self._url):
                    raise
                _log.info("Redis has another password: trying that")
                return self._use(self._current(), work)
        except RedisError as error:
            self._rest_until = time.monotonic() + self._rest_seconds
            _log.warning("Redis is away: %s", error)
            raise StoreUnavailable(f"Redis did not answer: {error}") from error

    def _use[Result](self, client: "Redis", work: Callable[["Redis"], Result]) -> Result:
        from redis.exceptions import AuthenticationError
        from redis.exceptions import ConnectionError as Disconnected

        try:
            return work(client)
        except AuthenticationError:  # a kind of the next, and no better the second time
            raise
        except Disconnected:
            client.connection_pool.disconnect(inuse_connections=False)
            return work(client)

    def _current(self) -> "Redis":
        url = self._url()
        if self._client is None or url != self._made_for:
            self.close()
            self._client, self._made_for = _make(url), url
        return self._client

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


@cache
def shared_client(url: Callable[[], str]) -> RedisClient:
    """The client of this process for this source of the URL: all stores rest together."""
    return RedisClient(url)


def _make(url: str) -> "Redis":
    from redis import BlockingConnectionPool, Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_MAX_CONNECTIONS,
            timeout=_QUEUE_SECONDS,
            socket_connect_timeout=_CONNECT_SECONDS,
            socket_timeout=_ANSWER_SECONDS,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
            protocol=2,  # no HELLO and nothing else to agree on: one round trip less
            driver_info=None,
        )
    except ValueError:
        # Without its cause, whose text may quote the URL and with it the password.
        raise ConfigurationError("The Redis URL is not redis:// or rediss://.") from None
    return Redis(connection_pool=pool)
