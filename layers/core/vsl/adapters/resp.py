"""Redis in its own words: RESP2 over one connection, no more of it than our stores say.

https://redis.io/docs/latest/develop/reference/protocol-spec/ describes the protocol. redis-py speaks all
of it; why it is not used here: docs/decisions/0016-redis-in-its-own-words.md.
"""

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha1
from urllib.parse import unquote, urlsplit

FORM = "redis[s]://[[user]:password@]host[:port][/database]"
_PORT = 6379
_NOT_ALLOWED = ("NOAUTH ", "WRONGPASS ", "ERR invalid password")  # the last before Redis 6

type Reply = str | int | list[Reply] | None


class RedisError(Exception):
    """What a command ended in if not in its answer."""


class Unreachable(RedisError):
    """There is no connection, and none could be made."""


class Disconnected(RedisError):
    """The connection broke; the command may have been done."""


class TimedOut(RedisError):
    """No answer in time; the command may have been done."""


class Refused(RedisError):
    """The server's own error; the connection goes on."""


class NotAllowed(Refused):
    """The server wants another password."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is and how it is opened; `tls` checks its certificate and name."""

    host: str
    port: int
    tls: bool
    credentials: tuple[str, ...] = field(repr=False)
    database: int = 0

    @classmethod
    def of(cls, url: str) -> "Address":
        """Of FORM, without options. Raises ValueError."""
        parts = urlsplit(url)
        database = parts.path.strip("/") or "0"
        known = parts.scheme in {"redis", "rediss"} and parts.hostname and database.isdecimal()
        if not known or parts.query or parts.fragment:
            raise ValueError(f"not {FORM}")
        given = (unquote(each) for each in (parts.username, parts.password) if each)
        return cls(
            host=str(parts.hostname),
            port=parts.port or _PORT,
            tls=parts.scheme == "rediss",
            credentials=tuple(given),
            database=int(database),
        )


class Redis:
    """One connection, made with the first command and again after one that broke; for one thread."""

    def __init__(self, address: Address, *, connect_seconds: float, answer_seconds: float) -> None:
        self._address = address
        self._connect_seconds = connect_seconds
        self._answer_seconds = answer_seconds
        self._wire: _Wire | None = None

    def get(self, key: str) -> str | None:
        found = self.command("GET", key)
        return None if found is None else str(found)

    def set(self, key: str, value: str, *, ex: int) -> None:
        self.command("SET", key, value, "EX", ex)

    def exists(self, key: str) -> bool:
        return self.command("EXISTS", key) == 1

    def zrem(self, key: str, member: str) -> bool:
        return self.command("ZREM", key, member) == 1

    def ping(self) -> bool:
        return self.command("PING") == "PONG"

    def script(self, source: str, keys: Sequence[str], args: Iterable[str | int]) -> Reply:
        """By its hash, as the server keeps it; in full where it does not."""
        rest = (len(keys), *keys, *args)
        try:
            return self.command("EVALSHA", _digest(source), *rest)
        except Refused as refused:
            if not str(refused).startswith("NOSCRIPT "):
                raise
            return self.command("EVAL", source, *rest)

    def command(self, *parts: str | int) -> Reply:
        """Raises a RedisError. After any but Refused the connection is closed: an answer that comes late
        must not become that of the next command."""
        wire = self._wire or self._open()
        try:
            return wire.ask(parts)
        except Refused:
            raise
        except TimeoutError as error:
            self.close()
            raise TimedOut("no answer in time") from error
        except (OSError, EOFError, ValueError) as error:
            self.close()
            raise Disconnected(str(error) or type(error).__name__) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _open(self) -> "_Wire":
        """It becomes ours once its greetings are answered: none is left to be read by a command."""
        try:
            wire = _Wire(self._address, self._connect_seconds, self._answer_seconds)
            try:
                wire.greet(self._address)
            except BaseException:
                wire.close()
                raise
        except (OSError, EOFError, ValueError) as error:
            raise Unreachable(str(error) or type(error).__name__) from error
        self._wire = wire
        return wire


class _Wire:
    """An open connection: a command out, its answer in."""

    def __init__(self, address: Address, connect_seconds: float, answer_seconds: float) -> None:
        made = socket.create_connection((address.host, address.port), connect_seconds)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._socket = _encrypted(made, address.host) if address.tls else made
        self._socket.settimeout(answer_seconds)
        self._answers = self._socket.makefile("rb")

    def greet(self, address: Address) -> None:
        if address.credentials:
            self.ask(("AUTH", *address.credentials))
        if address.database:
            self.ask(("SELECT", address.database))

    def ask(self, parts: Iterable[str | int]) -> Reply:
        """Raises Refused, and what sockets raise."""
        self._socket.sendall(_packed(parts))
        reply = self._read()
        if isinstance(reply, Refused):
            raise reply
        return reply

    def close(self) -> None:
        self._answers.close()
        self._socket.close()

    def _read(self) -> Reply | Refused:
        line = self._answers.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError("the server closed the connection")
        kind, text = line[:1], line[1:-2]
        match kind:
            case b"+":
                return text.decode()
            case b"-":
                told = text.decode(errors="replace")
                return NotAllowed(told) if told.startswith(_NOT_ALLOWED) else Refused(told)
            case b":":
                return int(text)
            case b"$":
                return self._text(int(text))
            case b"*":
                return self._list(int(text))
            case _:
                raise ValueError("this is not RESP")

    def _text(self, length: int) -> str | None:
        if length < 0:
            return None
        found = self._answers.read(length + 2)
        if len(found) < length + 2:
            raise EOFError("the server closed the connection")
        return found[:-2].decode()

    def _list(self, length: int) -> list[Reply] | Refused | None:
        """Read to its end also behind an error inside, which is then the answer."""
        if length < 0:
            return None
        replies = [self._read() for _ in range(length)]
        refused = [each for each in replies if isinstance(each, Refused)]
        return (
            refused[0] if refused else [each for each in replies if not isinstance(each, Refused)]
        )


@cache
def _digest(source: str) -> str:
    return sha1(source.encode(), usedforsecurity=False).hexdigest()


def _packed(parts: Iterable[str | int]) -> bytes:
    """A command: an array of texts, each with its length in bytes."""
    texts = [str(part).encode() for part in parts]
    return b"".join([b"*%d\r\n" % len(texts), *[b"$%d\r\n%b\r\n" % (len(t), t) for t in texts]])


def _encrypted(made: socket.socket, host: str) -> socket.socket:
    import ssl

    try:
        return ssl.create_default_context().wrap_socket(made, server_hostname=host)
    except OSError:
        made.close()
        raise
