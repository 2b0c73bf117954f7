"""A loopback HTTP server whose every path is a function: honest files, lies and drips."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

type Route = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class FileServer:
    """`origin` is `http://127.0.0.1:PORT`; `requests` are the paths asked for, with their headers."""

    origin: str
    routes: dict[str, Route] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def serve(self, path: str, content: bytes, content_type: str = "image/png") -> str:
        """Serve the content and return its address."""
        return self.route(path, lambda request: _send(request, content, content_type))

    def stream(self, path: str, head: bytes, zeros: int, content_type: str = "video/mp4") -> str:
        """Serve `head` followed by that many zero bytes, made as they are sent."""
        return self.route(path, lambda request: _stream(request, head, zeros, content_type))

    def route(self, path: str, route: Route) -> str:
        self.routes[path] = route
        return self.origin + path

    def hits(self, path: str) -> int:
        return sum(asked == path for asked, _ in self.requests)


@contextmanager
def file_server() -> Iterator[FileServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            server.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
            self.close_connection = True
            route = server.routes.get(self.path)
            if route is None:
                self.send_error(404)
            else:
                route(self)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    server = FileServer(f"http://127.0.0.1:{listener.server_port}")
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def answer(request: BaseHTTPRequestHandler, status: int, **headers: str) -> None:
    """Status and headers (underscores stand for hyphens), without a body."""
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()


def _send(request: BaseHTTPRequestHandler, content: bytes, content_type: str) -> None:
    answer(request, 200, Content_Type=content_type, Content_Length=str(len(content)))
    request.wfile.write(content)


def _stream(request: BaseHTTPRequestHandler, head: bytes, zeros: int, content_type: str) -> None:
    length = str(len(head) + zeros)
    answer(request, 200, Content_Type=content_type, Content_Length=length)
    request.wfile.write(head)
    block = bytes(256 * 1024)
    while zeros:
        zeros -= request.wfile.write(block[: min(zeros, len(block))])
