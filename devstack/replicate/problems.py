"""Error bodies as Replicate sends them: RFC 7807 with keys that come and go."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

TITLES: Mapping[int, str] = {
    401: "Unauthenticated",
    402: "Insufficient credit",
    422: "Invalid version or not permitted",
}
DETAILS: Mapping[int, str] = {
    400: "Failed to parse request body as JSON: EOF",
    401: "You did not pass a valid authentication token",
    402: (
        "You have insufficient credit to run this model. Go to "
        "https://replicate.com/account/billing#billing to purchase credit. Once you purchase "
        "credit, please wait a few minutes before trying again."
    ),
    404: "The requested resource could not be found.",
    405: "Method not allowed",
    413: "Files must be less than 100MB in size",
    422: "The specified version does not exist (or perhaps you don't have permission to use it?)",
    500: "Internal server error",
    502: "Bad gateway",
    503: "Service unavailable",
    504: "Gateway timeout",
}


class Problem(Exception):
    """An answer other than success; `body` is what is sent as application/problem+json."""

    def __init__(self, status: int, detail: str | None = None, **more: Any) -> None:
        title = more.pop("title", TITLES.get(status) if detail is None else None)
        self.status = status
        self.body: dict[str, Any] = {
            **({"title": title} if title else {}),
            "detail": detail if detail is not None else DETAILS.get(status, "Unknown error"),
            "status": status,
            **more,
        }
        super().__init__(self.body["detail"])

    def response(self, headers: Mapping[str, str] | None = None) -> Response:
        return Response(
            json.dumps(self.body, ensure_ascii=False, separators=(",", ":")),
            self.status,
            headers=dict(headers or {}),
            media_type="application/problem+json",
        )


def throttled(retry_after: int, *, rate: int | None = None, burst: int | None = None) -> Problem:
    """429; with `rate` and `burst` in the words used for accounts that are low on credit."""
    reduced = ""
    if rate is not None and burst is not None:
        reduced = (
            f"Your rate limit for creating predictions is reduced to {rate} requests per minute "
            f"with a burst of {burst} requests while you have less than $5.0 in credit. "
        )
    detail = f"Request was throttled. {reduced}Your rate limit resets in ~{retry_after}s."
    return Problem(429, detail, retry_after=retry_after)


def invalid_fields(faults: list[dict[str, str]]) -> Problem:
    """422 with each fault twice: as a line of `detail` and in `invalid_fields`."""
    lines = (
        f"- {fault['field']}: {fault['description']}\n"
        if fault["field"]
        else f"- {fault['description']}\n"
        for fault in faults
    )
    return Problem(422, "".join(lines), title="Input validation failed", invalid_fields=faults)
