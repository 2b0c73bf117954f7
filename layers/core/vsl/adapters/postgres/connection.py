"""The one PostgreSQL connection of a process: opened late, checked before use, replaced when broken.

It keeps no state on the server (no prepared statement, no SET, no `options` at connect, which RDS
Proxy refuses), so that a proxy in between may share its connections; time limits are ours.
"""

import logging
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from psycopg.sql import Composed

from vsl.adapters.aws.parameters import changed
from vsl.domain.errors import ConfigurationError, InternalError, StoreUnavailable

type Connection = psycopg.Connection[tuple[Any, ...]]

_CONNECT_SECONDS = 3
_UNACKNOWLEDGED_MILLISECONDS = 3000  # a peer that vanished while we slept is found out this fast
_REST_SECONDS = 1.0  # after a failed connect: do not keep a caller waiting twice for the same news

_log = logging.getLogger(__name__)


class PostgresConnection:
    """`url` is asked for each new connection, and again when one is refused: so a rotated secret is
    picked up.

    All adapters of a process share one. `time_limit` in seconds bounds each use as a whole. Threads
    may share it: one uses it at a time.
    """

    def __init__(self, url: Callable[[], str], *, time_limit: float = 5.0) -> None:
        self._url = url
        self._time_limit = time_limit
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._rest_until = 0.0

    def run[Result](
        self, work: Callable[[Connection], Result], *, time_limit: float | None = None
    ) -> Result:
        """What `work` returns; it may run a second time, on a new connection, if the first broke.

        `time_limit` replaces the usual one for this use.

        Raises StoreUnavailable when retrying may help, ConfigurationError when the schema is
        missing, InternalError when the statement itself is at fault.
        """
        seconds = self._time_limit if time_limit is None else time_limit
        with self._lock:
            reused = self._usable()
            try:
                if reused is not None:
                    try:
                        return self._use(reused, work, seconds)
                    except _ConnectionLost:
                        _log.info("the connection to PostgreSQL was lost: opening another")
                return self._use(self._open(), work, seconds)
            except _ConnectionLost as error:
                raise StoreUnavailable("PostgreSQL closed the connection.") from error

    def rows(
        self,
        query: str | Composed,
        values: Mapping[str, Any] | Sequence[Any],
        *,
        time_limit: float | None = None,
    ) -> list[dict[str, Any]]:
        """The rows that one query finds, by column names; raises as `run` does."""
        statement = query if isinstance(query, Composed) else query.encode()

        def fetch(connection: Connection) -> list[dict[str, Any]]:
            with connection.cursor(row_factory=dict_row) as cursor:
                return cursor.execute(statement, values).fetchall()

        return self.run(fetch, time_limit=time_limit)

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _use[Result](
        self, connection: Connection, work: Callable[[Connection], Result], seconds: float
    ) -> Result:
        expired = threading.Event()
        try:
            with self._watched(connection, expired, seconds):
                return work(connection)
        except psycopg.Error as error:
            lost = connection.broken or connection.closed
            if lost:
                self._drop()
            if expired.is_set():
                message = f"PostgreSQL did not answer within {seconds:g} s."
                raise StoreUnavailable(message) from error
            if lost:
                raise _ConnectionLost from error
            raise _translated(error) from error

    @contextmanager
    def _watched(
        self, connection: Connection, expired: threading.Event, seconds: float
    ) -> Iterator[None]:
        """Cut the connection when the time is up: that wakes the thread that waits for an answer."""
        ours = socket.socket(fileno=os.dup(connection.fileno()))  # libpq may close its own

        def cut() -> None:
            expired.set()
            with suppress(OSError):
                ours.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(seconds, cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            ours.close()

    def _open(self) -> Connection:
        if time.monotonic() < self._rest_until:
            raise StoreUnavailable("PostgreSQL could not be reached a moment ago.")
        try:
            try:
                self._connection = self._connect()
            except psycopg.OperationalError:
                if not changed(self._url):
                    raise
                _log.info("PostgreSQL has another address or password: trying that")
                self._connection = self._connect()
        except psycopg.OperationalError as error:
            self._rest_until = time.monotonic() + _REST_SECONDS
            raise StoreUnavailable(f"PostgreSQL cannot be reached: {_first_line(error)}") from error
        except psycopg.ProgrammingError:
            # Without its cause, whose text quotes the URL and with it the password.
            raise ConfigurationError("The database URL is not a PostgreSQL URL.") from None
        return self._connection

    def _connect(self) -> Connection:
        return psycopg.connect(
            self._url(),
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=_CONNECT_SECONDS,
            tcp_user_timeout=_UNACKNOWLEDGED_MILLISECONDS,
        )

    def _usable(self) -> Connection | None:
        """The connection at hand unless it is broken. Anything to read while idle is its farewell."""
        connection = self._connection
        if connection is None or connection.closed:
            return None
        idle = connection.info.transaction_status is TransactionStatus.IDLE
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        if not idle or poll.poll(0):
            self._drop()
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class _ConnectionLost(Exception):
    """The connection broke under a statement, through no fault of the statement."""


def _translated(error: psycopg.Error) -> Exception:
    if isinstance(error, errors.UndefinedTable | errors.UndefinedColumn):
        message = "The database lacks tables: run `python -m database.migrate` against it."
        return ConfigurationError(message, found=_first_line(error))
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return StoreUnavailable(f"PostgreSQL could not finish: {_first_line(error)}")
    return InternalError(f"PostgreSQL refused: {_first_line(error)}", sqlstate=error.sqlstate)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
