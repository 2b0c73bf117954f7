"""The files of a web page beside a function, as browsers fetch them."""

import hashlib
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
_IMMUTABLE = "public, max-age=31536000, immutable"
# A name with a version never gets other bytes.
_VERSIONED = re.compile(r"-\d+\.\d+\.\d+\.\w+$")


class Site:
    """The folder is read once a process, for its names.

    A page that writes `{version}` in the addresses of its files has a browser keep them until one of
    them changes: the version stands for the bytes of all.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        names = (path.name for path in folder.iterdir() if path.suffix in _TYPES)
        self._names = frozenset(names)
        self._version = ("", [0])  # and what the files looked like

    def file(self, event: Event, policy: str) -> Response:
        """The file that `{file}` of the route names, 304 if the browser has it. Raises FileNotFound.

        Under a `{version}` that is not, or no longer, this site's the file is not to be kept.
        """
        parameters = event.get("pathParameters") or {}
        name = parameters.get("file")
        if name not in self._names:
            raise FileNotFound("There is no file of this name.")
        text = (self._folder / name).read_bytes().decode()  # no newline is translated
        if name.endswith(".html"):
            text = text.replace("{version}", self.version())
        headers = {
            "Cache-Control": self._caching(name, parameters.get("version")),
            "ETag": entity_tag(text),
        }
        if is_known(headers["ETag"], header(event, "If-None-Match")):
            return without_body(304, headers)
        return page(text, policy, {**headers, "Content-Type": _TYPES[Path(name).suffix]})

    def version(self) -> str:
        """Reckoned anew when a file was written: on a developer's machine, never on AWS."""
        paths = [self._folder / name for name in sorted(self._names)]
        written = [path.stat().st_mtime_ns for path in paths]
        if written != self._version[1]:
            digest = hashlib.sha256()
            for path in paths:
                digest.update(f"{path.name} {path.stat().st_size}\n".encode() + path.read_bytes())
            self._version = (digest.hexdigest()[:16], written)
        return self._version[0]

    def _caching(self, name: str, version: str | None) -> str:
        if version is None:
            return _IMMUTABLE if _VERSIONED.search(name) else "no-cache"
        return _IMMUTABLE if version == self.version() else "no-store"


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
