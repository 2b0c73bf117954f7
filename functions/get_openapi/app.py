"""GetOpenapi: the API described, for programs (openapi.json) and for people (docs)."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from vsl.runtime.address import api_address
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.reference_page import content_security_policy, reference_page
from vsl.runtime.settings import settings
from vsl.runtime.site import Site, page
from vsl.runtime.use_cases.api import describe_api

_CACHING = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}


@api
def handler(event: Event, _context: Context) -> Response:
    asked = event["requestContext"]
    url = api_address(asked.get("apiId"), asked.get("domainName"))
    policy = content_security_policy(url)
    if event["resource"] == "/docs/{file}":
        return _site().file(event, policy)
    described = describe_api(_document())(url or "/")
    if event["resource"] == "/openapi.json":
        return answer(200, described, _CACHING)
    # Two slashes at the front would lead to a host of that name.
    path = asked["path"].strip("/").removesuffix("docs").rstrip("/")
    root = f"/{path}" if path else ""
    html = reference_page(described, root, can_try=settings().api_auth != "IAM")
    return page(html, policy, _CACHING)


@cache
def _document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(Path(__file__).with_name("openapi.json").read_text())
    return loaded


@cache
def _site() -> Site:
    return Site(Path(__file__).with_name("site"))
