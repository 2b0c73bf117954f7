"""The files of a web page beside a function, as browsers fetch them."""

import re
from collections.abc import Mapping
from pathlib import Path

from vsl.domain.api.conditional import entity_tag, is_known
from vsl.domain.errors import FileNotFound
from vsl.runtime.handler import Event, Response, header, without_body

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
# A name with a version never gets other bytes.
_VERSIONED = re.compile(r"-\d+\.\d+\.\d+\.\w+$")


class Site:
    """The folder is read once a process, for its names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        names = (path.name for path in folder.iterdir() if path.suffix in _TYPES)
        self._names = frozenset(names)

    def file(self, event: Event, policy: str) -> Response:
        """The file that `{file}` of the route names, 304 if the browser has it. Raises FileNotFound."""
        name = (event.get("pathParameters") or {}).get("file")
        if name not in self._names:
            raise FileNotFound("There is no file of this name.")
        text = (self._folder / name).read_bytes().decode()  # no newline is translated
        caching = "public, max-age=31536000, immutable" if _VERSIONED.search(name) else "no-cache"
        headers = {"Cache-Control": caching, "ETag": entity_tag(text)}
        if is_known(headers["ETag"], header(event, "If-None-Match")):
            return without_body(304, headers)
        return page(text, policy, {**headers, "Content-Type": _TYPES[Path(name).suffix]})


def page(text: str, policy: str, headers: Mapping[str, str]) -> Response:
    """What a browser gets to show or run, under this Content-Security-Policy."""
    return {
        "statusCode": 200,
        "headers": {
            "Content-Type": _TYPES[".html"],
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            **headers,
        },
        "body": text,
    }
