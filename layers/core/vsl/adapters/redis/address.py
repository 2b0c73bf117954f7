"""The address of Redis, an operator's text: checked once, before redis-py gets it.

Besides redis-py's own options it may say `cluster=true`. redis-py ignores what it does not know of an
address, or fails with it at the first connection: here the option that is wrong is named instead.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

FORM = "redis[s]://[[user]:password@]host[:port][/database][?option=value&…]"
MAX_SECONDS = 5.0
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class AddressError(ValueError):
    """What is wrong with an address; never quotes it, as it may hold a password."""


@dataclass(frozen=True, slots=True)
class RedisAddress:
    url: str = field(repr=False)
    """For redis-py."""
    cluster: bool = False

    @classmethod
    def of(cls, text: str) -> "RedisAddress":
        """Raises AddressError."""
        parts = _split(text)
        options = _options(parts)
        cluster = _WORDS[options.pop("cluster", "false").lower()]
        _check_together(parts, options, cluster=cluster)
        return cls(urlunsplit(parts._replace(query=urlencode(options))), cluster)


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        has_place = bool(parts.hostname) and parts.port != 0
    except ValueError:
        has_place = False
    if not has_place or parts.scheme not in {"redis", "rediss"} or parts.fragment:
        raise AddressError("it has not this form (a password is percent-encoded)")
    if not (parts.path.strip("/") or "0").isdecimal():
        raise AddressError("its database is not a number")
    return parts


def _options(parts: SplitResult) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name, value in options.items():
        known = _OPTIONS.get(name)
        if known is None:
            what = f"its option {name}" if name.isidentifier() else "one of its options"
            raise AddressError(f"{what} is unknown; there are {', '.join(_OPTIONS)}")
        wanted, fits = known
        if not fits(value):
            raise AddressError(f"its option {name} is not {wanted}")
    return options


def _check_together(parts: SplitResult, options: Mapping[str, str], *, cluster: bool) -> None:
    if parts.scheme == "redis" and (names := [it for it in options if it.startswith("ssl_")]):
        raise AddressError(f"its option {names[0]} is for rediss://")
    if not cluster:
        return
    if int(options.get("db") or parts.path.strip("/") or 0):
        raise AddressError("a cluster has database 0 alone")
    if "health_check_interval" in options:
        raise AddressError("its option health_check_interval is not for a cluster")


def _seconds(value: str) -> bool:
    try:
        return 0 < float(value) <= MAX_SECONDS
    except ValueError:
        return False


_SECONDS = (f"a number of seconds, above 0 and {MAX_SECONDS:g} at most", _seconds)
_NUMBER = ("a whole number", str.isdecimal)
_FLAG = ("true or false", lambda value: value.lower() in _WORDS)
_TEXT = ("given", bool)
_FILE = ("a file of the function", lambda value: Path(value).is_file())

_OPTIONS: Mapping[str, tuple[str, Callable[[str], bool]]] = {
    "cluster": _FLAG,
    "protocol": ("2 or 3", {"2", "3"}.__contains__),
    "db": _NUMBER,
    "client_name": _TEXT,
    "socket_timeout": _SECONDS,
    "socket_connect_timeout": _SECONDS,
    "health_check_interval": _NUMBER,
    "ssl_ca_certs": _FILE,
    "ssl_ca_data": _TEXT,
    "ssl_certfile": _FILE,
    "ssl_keyfile": _FILE,
    "ssl_password": _TEXT,
    "ssl_cert_reqs": ("none, optional or required", {"none", "optional", "required"}.__contains__),
    "ssl_check_hostname": _FLAG,
}
