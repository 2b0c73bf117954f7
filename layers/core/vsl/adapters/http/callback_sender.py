"""One POST to a client's address: only to a public one, pinned, within bounds of time and size.

The name is resolved once and every address it leads to is judged (`adapters.http.pinned_network`).
Redirects are answers like any other: not followed.
"""

import ssl
import time
from collections.abc import Mapping
from functools import cached_property
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpcore

from vsl.adapters.http.pinned_network import PinnedNetwork
from vsl.domain.callbacks.callback import Reply
from vsl.domain.callbacks.callback_url import check_callback_url
from vsl.domain.catalogue.addresses import is_public

TOTAL_SECONDS = 15.0
KEPT_BYTES = 1024


class _RefusedError(Exception):
    """The host leads to an address we do not connect to."""


class CallbackSender:
    """`local`: http and the loopback are allowed; `backend` replaces the sockets in tests."""

    def __init__(
        self,
        *,
        local: bool,
        total_seconds: float = TOTAL_SECONDS,
        ssl_context: ssl.SSLContext | None = None,
        backend: httpcore.NetworkBackend | None = None,
    ) -> None:
        self._local = local
        self._total_seconds = total_seconds
        self._given_ssl_context = ssl_context
        self._backend = backend

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Never raises for what the address or its server does: that is what the reply says."""
        began = time.monotonic()
        status: int | None = None
        error = response = None
        try:
            check_callback_url(url, local=self._local)
            status, response = self._exchange(url, body, headers, began + self._total_seconds)
        except (ValueError, httpcore.UnsupportedProtocol) as fault:
            error = f"The address {fault}."
        except _RefusedError:
            error = "The address leads to no public host."
        except httpcore.TimeoutException:
            error = f"No answer within {self._total_seconds:g} s."
        except (httpcore.NetworkError, httpcore.ProtocolError) as fault:
            error = f"The exchange broke off: {str(fault)[:200]}."
        return Reply(status, error, response, round((time.monotonic() - began) * 1000))

    def _exchange(
        self, url: str, body: bytes, headers: Mapping[str, str], deadline: float
    ) -> tuple[int, str]:
        sent = [
            ("Host", urlsplit(url).netloc),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("User-Agent", "vsl-callback"),
            *headers.items(),
        ]
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), self._total_seconds)
        network = PinnedNetwork(self._check_address, deadline, self._backend)
        with (
            httpcore.ConnectionPool(
                ssl_context=self._ssl_context, network_backend=network, max_connections=1
            ) as pool,
            pool.stream(
                "POST", url, headers=sent, content=body, extensions={"timeout": timeout}
            ) as answer,
        ):
            return answer.status, _beginning(answer)

    def _check_address(self, _host: str, address: str) -> None:
        plain = address.partition("%")[0]
        if not is_public(address) and not (self._local and ip_address(plain).is_loopback):
            raise _RefusedError

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        return self._given_ssl_context or httpcore.default_ssl_context()


def _beginning(answer: httpcore.Response) -> str:
    """The first bytes as text that PostgreSQL takes. The status counts even if the body breaks off."""
    kept = b""
    try:
        for chunk in answer.iter_stream():
            kept += chunk
            if len(kept) >= KEPT_BYTES:
                break
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        pass
    return kept[:KEPT_BYTES].decode(errors="replace").replace("\0", "�")
