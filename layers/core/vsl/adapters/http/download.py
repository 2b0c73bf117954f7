"""Fetching one output file as a bounded stream.

Only listed origins are asked, every redirect is checked like the first address, and the provider's
token is never sent: its files are served without one. Sizes in bytes, times in seconds.
"""

import base64
import binascii
import re
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, unquote, unquote_to_bytes, urljoin, urlsplit

import h11
import httpcore

from vsl.adapters.http.origins import Origins
from vsl.adapters.http.pinned_get import Answer, Timeouts, get
from vsl.adapters.http.pinned_network import PinnedNetwork
from vsl.adapters.http.unpacking import is_packed, unpacked
from vsl.domain.errors import DownloadFailed, DownloadRefused, OutputExpired, OutputInvalid

MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_GONE = frozenset({403, 404, 410})  # what an expired file answers is not documented
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F))).replace("\\", "")
_AROUND = "".join(map(chr, range(0x21)))  # what stands before and after an address without meaning


@dataclass(frozen=True, slots=True)
class Download:
    """One open download. `file_name` comes from the address, type and length from the server.

    Iterate `chunks` once; each is good until the next. It raises OutputInvalid when the file is
    empty or passes the limit, and DownloadFailed when it breaks off or is shorter than declared.
    """

    file_name: str
    declared_type: str | None
    declared_length: int | None
    chunks: Iterator[bytes | memoryview]


class Downloads:
    """Opens downloads within the limits given; `backend` replaces the sockets in tests."""

    def __init__(
        self,
        origins: Iterable[str],
        *,
        max_bytes: int,
        connect_seconds: float = 5,
        read_seconds: float = 30,
        total_seconds: float = 600,
        ssl_context: ssl.SSLContext | None = None,
        backend: httpcore.NetworkBackend | None = None,
    ) -> None:
        self._origins = Origins(origins)
        self._max_bytes = max_bytes
        self._timeouts = Timeouts(connect_seconds, read_seconds)
        self._total_seconds = total_seconds
        self._given_ssl_context = ssl_context
        self._backend = backend

    @contextmanager
    def open(self, url: str) -> Iterator[Download]:
        """Raises OutputExpired, OutputInvalid, DownloadRefused or DownloadFailed."""
        url = url.strip(_AROUND)
        if url[:5].lower() == "data:":
            yield self._data(url)
            return
        url = _sendable(url)
        deadline = time.monotonic() + self._total_seconds
        network = PinnedNetwork(self._origins.check_address, deadline, self._backend)
        with _translated():
            for _ in range(MAX_REDIRECTS + 1):
                self._origins.check(url)
                with get(url, network, self._tls, self._timeouts) as answer:
                    if answer.status in _REDIRECTS:
                        url = _redirected(url, answer.headers.get("location", ""))
                        continue
                    _check_status(answer.status)
                    yield self._download(url, answer)
                    return
            message = f"The output's address redirects more than {MAX_REDIRECTS} times."
            raise DownloadRefused(message)

    def _download(self, url: str, answer: Answer) -> Download:
        self._check_size(answer.length or 0)
        packed = is_packed(answer.headers.get("content-encoding", ""))
        return Download(
            file_name=unquote(urlsplit(url).path.rpartition("/")[2]),
            declared_type=_media_type(answer.headers.get("content-type")),
            declared_length=None if packed else answer.length,
            chunks=self._limited(unpacked(answer.chunks) if packed else answer.chunks),
        )

    def _data(self, url: str) -> Download:
        """RFC 2397: `data:[<type>][;base64],<data>`."""
        header, comma, payload = url[5:].partition(",")
        if not comma:
            raise OutputInvalid("The output is a malformed data URL.")
        content = unquote_to_bytes(payload)
        if header.lower().replace(" ", "").endswith(";base64"):
            try:
                content = _base64(content)
            except binascii.Error as error:
                raise OutputInvalid("The output is a malformed data URL.") from error
        return Download("", _media_type(header), len(content), self._limited(iter([content])))

    def _limited(self, chunks: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
        size = 0
        with _translated():
            for chunk in chunks:
                size += len(chunk)
                self._check_size(size)
                yield chunk
        if not size:
            raise OutputInvalid("The output file is empty.")

    def _check_size(self, size: int) -> None:
        if size > self._max_bytes:
            message = f"The output file is larger than {self._max_bytes} bytes."
            raise OutputInvalid(message, maxBytes=self._max_bytes)

    def _tls(self) -> ssl.SSLContext:
        return self._ssl_context

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        """Made for the first https address: reading the authorities takes some 20 ms."""
        return self._given_ssl_context or httpcore.default_ssl_context()


def _check_status(status: int) -> None:
    if status in _GONE:
        raise OutputExpired("The provider no longer has the output file.", httpStatus=status)
    if status != 200:
        message = f"The output's server answered with HTTP status {status}."
        raise DownloadFailed(message, httpStatus=status)


def _sendable(address: str | bytes) -> str:
    """An address as models and servers write it, with spaces or letters of any language, encoded.

    As browsers do, space around it and line breaks within it are passed over.
    """
    text = address if isinstance(address, bytes) else address.encode(errors="surrogatepass")
    text = re.sub(rb"[\t\r\n]", b"", text.strip(_AROUND.encode()))
    return quote(text, safe=_PRINTABLE).partition("#")[0]


def _base64(content: bytes) -> bytes:
    """In lines or not, of either alphabet, padded or not. Raises binascii.Error."""
    plain = re.sub(rb"[^A-Za-z0-9+/]", b"", content.translate(bytes.maketrans(b"-_", b"+/")))
    return base64.b64decode(plain + b"=" * (-len(plain) % 4))


def _redirected(url: str, location: str) -> str:
    try:
        return urljoin(url, _sendable(location.encode("latin-1")))  # the header's own bytes
    except ValueError as error:
        raise DownloadRefused("The output's address redirects to a malformed one.") from error


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except httpcore.TimeoutException as error:
        raise DownloadFailed("The output's server took too long.") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, h11.ProtocolError, zlib.error) as error:
        raise DownloadFailed(f"The download broke off: {error}.") from error


def _media_type(text: str | None) -> str | None:
    return (text or "").partition(";")[0].strip().lower() or None
