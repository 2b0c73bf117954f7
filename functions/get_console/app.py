"""GetConsole: the files of the console, a web page for people. They hold no data of anybody's."""

from functools import cache
from pathlib import Path

from vsl.domain.conditional import entity_tag, is_known
from vsl.domain.errors import FileNotFound
from vsl.runtime.handler import Context, Event, Response, api, header, without_body
from vsl.runtime.settings import settings

_SITE = Path(__file__).with_name("site")
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@api
def handler(event: Event, _context: Context) -> Response:
    name = (event.get("pathParameters") or {}).get("file")
    if name is None:
        path = event["requestContext"]["path"].rstrip("/")
        return without_body(302, {"Location": f"{path}/index.html", "Cache-Control": "no-store"})
    if name not in _names():
        raise FileNotFound("The console has no file of this name.")
    text = (_SITE / name).read_text(encoding="utf-8")
    tag = entity_tag(text)
    headers = {"Cache-Control": "no-cache", "ETag": tag}
    if is_known(tag, header(event, "If-None-Match")):
        return without_body(304, headers)
    headers |= {
        "Content-Security-Policy": _policy(),
        "Content-Type": _TYPES[Path(name).suffix],
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return {"statusCode": 200, "headers": headers, "body": text}


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in _SITE.iterdir() if path.suffix in _TYPES)


def _policy() -> str:
    """Scripts and styles are the console's own. Media and uploads lie in S3 or behind a domain."""
    local = " http:" if settings().allow_http_inputs else ""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none';"
        f" form-action 'none'; frame-ancestors 'none'; connect-src 'self' https://*.amazonaws.com{local};"
        f" img-src 'self' blob: https:{local}; media-src blob: https:{local}"
    )
