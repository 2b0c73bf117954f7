"""Where output files may come from: an allow-list of origins, and no address inside our network.

An origin is `scheme://host[:port]`; a leading `*.` in the host stands for one or more labels. An IP
address that is not public is only ever connected to when the list names that very address.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from vsl.domain.catalogue.addresses import is_host, is_public
from vsl.domain.errors import ConfigurationError, DownloadRefused

_PORTS = {"http": 80, "https": 443}
_PLAIN_URL = re.compile(r"[!-\[\]-~]+")  # printable ASCII without space and backslash


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, lower-case host (without the `*.`) and port."""

    scheme: str
    host: str
    port: int
    wildcard: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError when the text is no http(s) address with a host."""
        if not _PLAIN_URL.fullmatch(text):
            raise ValueError("an address is printable ASCII without spaces and backslashes")
        parts = urlsplit(text)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("an address starts with https:// or http:// and a host")
        if parts.username is not None or parts.password is not None:
            raise ValueError("an address carries no user name or password")
        host = parts.hostname.removesuffix(".")
        if not is_host(host.removeprefix("*.")):
            raise ValueError("the host is malformed")
        port = _PORTS[parts.scheme] if parts.port is None else parts.port
        return cls(parts.scheme, host.removeprefix("*."), port, host.startswith("*."))

    def covers(self, other: Self) -> bool:
        if (self.scheme, self.port) != (other.scheme, other.port):
            return False
        return other.host.endswith("." + self.host) if self.wildcard else other.host == self.host


class Origins:
    """The allow-list. Raises ConfigurationError when an entry is no origin."""

    def __init__(self, patterns: Iterable[str]) -> None:
        try:
            self._listed = tuple(Origin.parse(pattern) for pattern in patterns if pattern)
        except ValueError as error:
            message = f"DOWNLOAD_ORIGINS holds an entry that is no origin: {error}."
            raise ConfigurationError(message, variable="DOWNLOAD_ORIGINS") from error

    def check(self, url: str) -> None:
        """Raises DownloadRefused unless the address belongs to a listed origin."""
        try:
            origin = Origin.parse(url)
        except ValueError as error:
            raise DownloadRefused(f"The output's address is malformed: {error}.") from error
        if origin.wildcard or not any(listed.covers(origin) for listed in self._listed):
            message = f"Output files are not downloaded from {origin.scheme}://{origin.host}."
            raise DownloadRefused(message, host=origin.host)

    def check_address(self, host: str, address: str) -> None:
        """Raises DownloadRefused when `host` leads to `address` and that is not a public one."""
        listed = host == address and any(
            origin.host == address and not origin.wildcard for origin in self._listed
        )
        if not listed and not is_public(address):
            message = f"The output's host {host} leads to an address that is not public."
            raise DownloadRefused(message, host=host)
