"""What a function asks of the provider, as subsegments of its X-Ray trace.

Written to the daemon beside the function by its own protocol: a header and a JSON document in one UDP
datagram. That is all the X-Ray SDK would do here, and importing it costs a cold start 0.4 s. Nothing
waits for an answer, and a trace that is not sampled, or a daemon that is not there, costs nothing.
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-subsegments
"""

import json
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

_HEADER = b'{"format": "json", "version": 1}\n'


@dataclass(slots=True)
class RemoteCall:
    """`status` is set once there is an answer."""

    status: int | None = None


@contextmanager
def remote_call(name: str, method: str, url: str) -> Iterator[RemoteCall]:
    """A request of ours to `name`; the trace keeps its address without query."""
    call, started = RemoteCall(), time.time()
    error: BaseException | None = None
    try:
        yield call
    except BaseException as raised:
        error = raised
        raise
    finally:
        parent = _sampled()
        if parent:
            request = {"method": method, "url": url.partition("?")[0]}
            _send(
                {
                    "trace_id": parent["Root"],
                    "parent_id": parent["Parent"],
                    "id": secrets.token_hex(8),
                    "type": "subsegment",
                    "name": name,
                    "namespace": "remote",
                    "start_time": started,
                    "end_time": time.time(),
                    "http": {"request": request, **_response(call.status)},
                    **_judged(call.status, error),
                }
            )


def _sampled() -> dict[str, str] | None:
    """The parts of Lambda's trace header, if the trace is sampled."""
    parts = dict(
        part.split("=", 1)
        for part in os.environ.get("_X_AMZN_TRACE_ID", "").split(";")
        if "=" in part
    )
    sampled = parts.get("Sampled") == "1" and {"Root", "Parent"} <= parts.keys()
    return parts if sampled else None


def _response(status: int | None) -> dict[str, object]:
    return {} if status is None else {"response": {"status": status}}


def _judged(status: int | None, error: BaseException | None) -> dict[str, object]:
    """X-Ray's words: fault is theirs, error is ours. The kind alone: a message may quote an address."""
    if error is not None:
        cause = {"id": secrets.token_hex(8), "type": type(error).__name__, "remote": True}
        return {"fault": True, "cause": {"exceptions": [cause]}}
    if status is None or status < 400:
        return {}
    return {"fault": True} if status >= 500 else {"error": True, "throttle": status == 429}


def _send(document: dict[str, object]) -> None:
    """Never in the way of what it tells of."""
    host, _, port = os.environ.get("AWS_XRAY_DAEMON_ADDRESS", "").rpartition(":")
    if not host or not port.isdecimal():
        return
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(_HEADER + json.dumps(document).encode(), (host, int(port)))
