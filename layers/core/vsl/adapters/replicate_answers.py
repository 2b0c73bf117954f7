"""Replicate's answers, read: predictions leniently, problems (RFC 7807-like) as our errors."""

import re
from collections.abc import Mapping
from typing import Any

import httpx

from vsl.domain.errors import (
    ProviderAuthenticationFailed,
    ProviderInsufficientCredit,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
    VslError,
)
from vsl.domain.prediction import Prediction, PredictionStatus

_MAX_DETAIL = 500
_RESETS_IN = re.compile(r"(?:resets in|available in)\s*~?\s*(\d+(?:\.\d+)?)\s*s", re.IGNORECASE)


def parse_prediction(body: object) -> Prediction:
    """A prediction out of a JSON object. Raises ValueError when it has no id.

    A status this code has never heard of is not terminal as far as it knows: the prediction goes
    on being watched, and is canceled at its deadline.
    """
    if not isinstance(body, Mapping):
        raise ValueError("no JSON object")  # noqa: TRY004 - the caller's one way to hear of it
    status = body.get("status")
    known = isinstance(status, str) and status in PredictionStatus
    return Prediction.parse(body if known else {**body, "status": PredictionStatus.PROCESSING})


def json_of(response: httpx.Response) -> object:
    """The decoded body, None when it is not JSON (a proxy's HTML page)."""
    try:
        return response.json()
    except ValueError:
        return None


def retry_after(response: httpx.Response) -> float | None:
    """Seconds to wait, from the body's `retry_after`, the header, or the sentence in `detail`."""
    problem = _problem(response)
    sentence = _RESETS_IN.search(str(problem.get("detail") or ""))
    candidates = (
        problem.get("retry_after"),
        response.headers.get("retry-after"),
        sentence and sentence[1],
    )
    for candidate in candidates:
        try:
            seconds = float(str(candidate))
        except ValueError:
            continue
        if 0 <= seconds <= 24 * 3600:
            return seconds
    return None


def to_error(response: httpx.Response) -> VslError:
    """The error behind an answer that is not 2xx."""
    status = response.status_code
    problem = _problem(response)
    detail = str(problem.get("detail") or problem.get("title") or "").strip()[:_MAX_DETAIL]
    reason = f": {detail}" if detail else ""
    if status == 429:
        message = f"The provider is throttling us{reason or '.'}"
        return ProviderThrottled(message, retryAfter=retry_after(response))
    if status >= 500:
        return ProviderUnavailable(f"The provider answered {status}{reason}", providerStatus=status)
    if status in {401, 403}:
        return ProviderAuthenticationFailed(
            f"The provider refused the API token ({status}); check the SSM parameter"
            f" replicate-token{reason}",
            providerStatus=status,
        )
    if status == 402:
        return ProviderInsufficientCredit(f"The provider's account has no credit{reason}")
    return ProviderRejected(
        f"The provider refused the request ({status}){reason}",
        providerStatus=status,
        invalidFields=_invalid_fields(problem),
    )


def _problem(response: httpx.Response) -> Mapping[str, Any]:
    body = json_of(response)
    return body if isinstance(body, dict) else {}


def _invalid_fields(problem: Mapping[str, Any]) -> list[dict[str, str]] | None:
    given = problem.get("invalid_fields")
    if not isinstance(given, list):
        return None
    return [
        {
            key: str(entry[key])[:_MAX_DETAIL]
            for key in ("field", "type", "description")
            if key in entry
        }
        for entry in given[:20]
        if isinstance(entry, Mapping)
    ]
