"""uvicorn, taught to keep the case of header names: REST APIs hand it on to the integration.

ASGI servers lower-case names. A connection that appends one more header with the names as they
were written lets the application restore them; it is the last one, so a client cannot forge it.
"""

from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from devstack.front import config

CASED_NAMES = "x-vsl-cased-names"


class CasedConnection(h11.Connection):
    def next_event(self) -> Any:
        event = super().next_event()
        if not isinstance(event, h11.Request):
            return event
        raw = event.headers.raw_items()
        names = b",".join(name for name, _ in raw)
        return h11.Request(
            method=event.method,
            target=event.target,
            headers=[*raw, (CASED_NAMES.encode(), names)],
            http_version=event.http_version,
        )


class CasedProtocol(H11Protocol):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.conn = CasedConnection(h11.SERVER, self.config.h11_max_incomplete_event_size or 65536)


def server_config(app: Any, host: str, port: int) -> uvicorn.Config:
    return config(app, host, port, http=CasedProtocol)
