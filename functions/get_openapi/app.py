"""GetOpenapi: the API described, for programs (openapi.json) and for people (docs)."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from vsl.runtime.handler import Context, Event, Response, answer, api, header
from vsl.runtime.settings import settings
from vsl.services.api_page import CONTENT_SECURITY_POLICY, api_page
from vsl.services.describe_api import describe_api

_CACHING = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}


@cache
def _document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(Path(__file__).with_name("openapi.json").read_text())
    return loaded


@api
def handler(event: Event, _context: Context) -> Response:
    base = event["requestContext"]["path"].removesuffix(event["resource"])
    scheme = header(event, "X-Forwarded-Proto") or "https"
    url = f"{scheme}://{event['requestContext']['domainName']}{base}"
    described = describe_api(_document(), url, settings().api_auth)
    if event["resource"] == "/openapi.json":
        return answer(200, described, _CACHING)
    headers = {"Content-Type": "text/html; charset=utf-8", **_CACHING}
    headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return {"statusCode": 200, "headers": headers, "body": api_page(described)}
