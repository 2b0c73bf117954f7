"""GetConsole: the files of the console, a web page for people. They hold no data of anybody's."""

from functools import cache
from pathlib import Path

from vsl.runtime.handler import Context, Event, Response, api, without_body
from vsl.runtime.settings import settings
from vsl.runtime.site import Site


@api
def handler(event: Event, _context: Context) -> Response:
    if not event.get("pathParameters"):
        # Two slashes at the front would lead to a host of that name.
        path = event["requestContext"]["path"].strip("/")
        return without_body(302, {"Location": f"/{path}/index.html", "Cache-Control": "no-store"})
    return _site().file(event, _policy())


@cache
def _site() -> Site:
    return Site(Path(__file__).with_name("site"))


def _policy() -> str:
    """Scripts and styles are the console's own. Media and uploads lie in S3 or behind a domain."""
    local = " http:" if settings().allow_http_inputs else ""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none';"
        f" form-action 'none'; frame-ancestors 'none'; connect-src 'self' https://*.amazonaws.com{local};"
        f" img-src 'self' blob: https:{local}; media-src blob: https:{local}"
    )
