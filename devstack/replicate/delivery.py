"""Output files over HTTP, with the headers replicate.delivery sends (Google Cloud Storage's)."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from devstack.replicate.clock import http_date
from devstack.replicate.connections import break_connection
from devstack.replicate.faults import FileFault
from devstack.replicate.outputs import OutputFile
from devstack.replicate.prediction_routes import state_of

_CHUNK = 1024**2
_GONE = (
    "<?xml version='1.0' encoding='UTF-8'?><Error><Code>NoSuchKey</Code>"
    "<Message>The specified key does not exist.</Message></Error>"
)
_PAGE = b"<!doctype html><html><body><h1>We'll be right back</h1></body></html>"


async def download(request: Request) -> Response:
    key, name = request.path_params["key"], request.path_params["name"]
    file = state_of(request).outputs.get(key, name)
    if file is None:
        return _gone()
    headers = _headers(file)
    fault = file.strike() if request.method == "GET" else None
    if fault is None:
        return FileResponse(file.path, headers=headers, media_type=file.content_type)
    return _faulty(file, fault, headers)


def _faulty(file: OutputFile, fault: FileFault, headers: Mapping[str, str]) -> Response:
    media_type = file.content_type
    match fault.kind:
        case "expired":
            return _gone()
        case "failing":
            answer = Response("<html>error</html>", fault.status, media_type="text/html")
        case "wrong_type":
            answer = Response(_PAGE, media_type=media_type)
        case "empty":
            answer = Response(b"", media_type=media_type)
        case "shortened":
            answer = Response(file.path.read_bytes()[: file.size // 2], media_type=media_type)
        case "huge":
            body, length = _huge(file.path, fault.size), {"content-length": str(fault.size)}
            answer = StreamingResponse(body, headers=length, media_type=media_type)
        case _:
            answer = _Halved(file, fault, headers)
    return answer


class _Halved(Response):
    """Half of the file; then the connection breaks, or nothing comes for a while before it does."""

    def __init__(self, file: OutputFile, fault: FileFault, headers: Mapping[str, str]) -> None:
        content = file.path.read_bytes()[: file.size // 2]
        super().__init__(content, media_type=file.content_type)
        self.headers.update({**headers, "content-length": str(file.size)})
        self._pause = fault.seconds if fault.kind == "stalled" else 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        hung_up = asyncio.create_task(_disconnected(receive))
        await asyncio.wait([hung_up], timeout=self._pause)
        hung_up.cancel()
        await break_connection(scope)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _huge(path: Path, size: int) -> AsyncIterator[bytes]:
    head = (await asyncio.to_thread(path.read_bytes))[:size]
    yield head
    zeros, left = bytes(_CHUNK), size - len(head)
    while left > 0:
        yield zeros[: min(_CHUNK, left)]
        left -= _CHUNK


def _headers(file: OutputFile) -> dict[str, str]:
    return {
        "etag": f'"{file.md5.hex()}"',
        "last-modified": http_date(file.created),
        "cache-control": "public,max-age=3600",
        "access-control-allow-origin": "*",
        "x-goog-hash": f"md5={base64.b64encode(file.md5).decode()}",
        "server": "UploadServer",
    }


def _gone() -> Response:
    """What an expired file really answers is recorded nowhere; applications speak of 404."""
    return Response(_GONE, 404, media_type="application/xml")


ROUTES = [Route("/pbxt/{key}/{name}", download, methods=["GET", "HEAD"])]
