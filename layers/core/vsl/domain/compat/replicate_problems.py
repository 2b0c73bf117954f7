"""Refusals in the shape of Replicate's API, which its clients read.

Shapes: https://replicate.com/docs/reference/http and what its API answers: `title` is left out where the
provider leaves it out, `invalid_fields` comes with 422, `retry_after` with 429.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from vsl.domain.errors import InternalError, InvalidRequest, VslError

VALIDATION_FAILED = "Input validation failed"
NOT_FOUND = "The requested resource could not be found."


@dataclass(frozen=True, slots=True)
class InvalidField:
    """`type` is the rule that was broken, `field` the path, such as `input.width`, empty for the body."""

    type: str
    field: str
    description: str

    @property
    def line(self) -> str:
        place = f"{self.field}: " if self.field else ""
        return f"- {place}{self.description}\n"


@dataclass(frozen=True, slots=True)
class ReplicateProblem(Exception):
    """An answer that is no prediction. `retry_after` in seconds."""

    status: int
    detail: str
    title: str | None = None
    invalid_fields: tuple[InvalidField, ...] = ()
    retry_after: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        optional = {
            "title": self.title,
            "invalid_fields": [
                {"type": each.type, "field": each.field, "description": each.description}
                for each in self.invalid_fields
            ]
            or None,
            "retry_after": self.retry_after,
        }
        known = {name: value for name, value in optional.items() if value is not None}
        return {"detail": self.detail, "status": self.status} | known


def invalid(fields: Iterable[InvalidField]) -> ReplicateProblem:
    """422 with each fault, as the provider's validator tells of it."""
    found = tuple(fields)
    detail = "".join(each.line for each in found)
    return ReplicateProblem(
        HTTPStatus.UNPROCESSABLE_ENTITY, detail, VALIDATION_FAILED, invalid_fields=found
    )


def not_found() -> ReplicateProblem:
    return ReplicateProblem(HTTPStatus.NOT_FOUND, NOT_FOUND)


def invalid_version() -> ReplicateProblem:
    return ReplicateProblem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The specified version does not exist (or perhaps you don't have permission to use it?)",
        "Invalid version or not permitted",
    )


def of_error(error: VslError) -> ReplicateProblem:
    """An error of ours. `details.fields` become fields of the protocol by `renamed` names before."""
    body: dict[str, Any] = {"status": error.status, "title": error.title, "detail": error.message}
    if error.status == InternalError.status:
        body["detail"] = error.title  # the log has the rest
    else:
        body |= {
            "fields": error.details.get("fields"),
            "retryAfter": error.details.get("retryAfter"),
        }
    return of_problem(body)


def of_problem(body: Mapping[str, Any], names: Mapping[str, str] | None = None) -> ReplicateProblem:
    """A problem of ours (RFC 9457) in the provider's words; `names` are its names for our fields."""
    status = int(body.get("status", InternalError.status))
    detail, title = str(body.get("detail", "")), str(body.get("title", ""))
    fields = body.get("fields")
    if status == InvalidRequest.status:
        return invalid(_fields(fields if isinstance(fields, list) else [], names or {}, detail))
    if status == HTTPStatus.NOT_FOUND:
        return not_found()
    if status == HTTPStatus.PAYMENT_REQUIRED:
        return ReplicateProblem(status, detail, "Insufficient credit")
    wait = _seconds(body.get("retryAfter"))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = wait or 1
        throttled = f"Request was throttled. {detail} Your rate limit resets in ~{wait}s."
        return ReplicateProblem(
            status, throttled, retry_after=wait, headers={"Retry-After": str(wait)}
        )
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        wait = wait or 5
    later = {} if wait is None else {"Retry-After": str(wait)}
    return ReplicateProblem(status, detail, title or None, headers=later)


def _seconds(value: object) -> int | None:
    return max(1, round(float(value))) if isinstance(value, int | float) else None


def _fields(faults: list[Any], names: Mapping[str, str], otherwise: str) -> Iterable[InvalidField]:
    found = [
        InvalidField("invalid", names.get(place, place), str(fault.get("message", "")))
        for fault in faults
        if isinstance(fault, Mapping)
        for place in [str(fault.get("field", ""))]
    ]
    return found or [InvalidField("invalid", "", otherwise)]
