"""As much of S3 as an upload needs, in a process of its own: bytes are read and thrown away."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_BLOCK = 1 << 20
_STARTED = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
_DONE = '<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>'


class Sink(BaseHTTPRequestHandler):
    """Keeps small objects (StoreMedia reads its notes back), and of large ones size and beginning."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or an answer in two writes waits 40 ms for the client's ACK
    begun: dict[str, bytes] = {}  # noqa: RUF012 - one process, one store
    sizes: dict[str, int] = {}  # noqa: RUF012
    parts: dict[str, int] = {}  # noqa: RUF012

    def do_PUT(self) -> None:
        path, query = self._where()
        content, size = self._read()
        if "partNumber" in query:
            self.parts[path] = self.parts.get(path, 0) + size
        else:
            self.sizes[path] = size
        if query.get("partNumber", ["1"]) == ["1"]:
            self.begun[path] = content
        self._answer(200, b"", {"ETag": '"e"'})

    def do_POST(self) -> None:
        path, query = self._where()
        self._read()
        if "uploads" in query:
            self._answer(200, _STARTED.encode())
            return
        self.sizes[path] = self.parts.pop(path, 0)
        self._answer(200, _DONE.encode())

    def do_GET(self) -> None:
        path, _ = self._where()
        if path not in self.sizes:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        content, size = self.begun[path], self.sizes[path]
        wanted = re.match(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if wanted:
            first, last = int(wanted[1]), min(int(wanted[2]), size - 1)
            part = content[first : last + 1].ljust(last - first + 1, b"\0")
            self._answer(206, part, {"Content-Range": f"bytes {first}-{last}/{size}"})
        else:
            self._answer(200, content)

    def do_HEAD(self) -> None:
        path, _ = self._where()
        known = path in self.sizes
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(self.sizes.get(path, 0)))
        self.end_headers()

    def do_DELETE(self) -> None:
        self._answer(204, b"")

    def _where(self) -> tuple[str, dict[str, list[str]]]:
        parts = urlsplit(self.path)
        return parts.path, parse_qs(parts.query, keep_blank_values=True)

    def _read(self) -> tuple[bytes, int]:
        """The first of the content, all of it if it is small, and its size; curl sends a pipe in chunks."""
        size, kept = 0, bytearray()
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while (left := int(self.rfile.readline().split(b";")[0], 16)) > 0:
                size += self._skip(left, kept)
                self.rfile.readline()
            self.rfile.readline()
        else:
            size = self._skip(int(self.headers.get("Content-Length", 0)), kept)
        return bytes(kept[:_BLOCK]), size

    def _skip(self, left: int, kept: bytearray) -> int:
        total = left
        while left:
            block = self.rfile.read(min(left, _BLOCK))
            if not block:
                break
            left -= len(block)
            if len(kept) < _BLOCK:
                kept += block
        return total - left

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if body:
            self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def s3_sink() -> Iterator[str]:
    """The address of a sink that ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sink"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    server.daemon_threads = True
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}), flush=True)  # noqa: T201
    server.serve_forever(0.1)
