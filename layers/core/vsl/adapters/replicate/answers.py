"""Replicate's answers, read: predictions leniently, problems (RFC 7807-like) as our errors."""

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
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
from vsl.domain.predictions.prediction import Prediction
from vsl.domain.predictions.provider_values import read_json, text_of

_MAX_DETAIL = 500
_MAX_FIELDS = 10
_LONGEST_WAIT = 24 * 3600
_RESETS_IN = re.compile(r"(?:resets in|available in)\s*~?\s*(\d+(?:\.\d+)?)\s*s", re.IGNORECASE)

_log = logging.getLogger(__name__)


def parse_prediction(body: object) -> Prediction:
    """See `Prediction.parse`; what it left out is logged."""
    prediction = Prediction.parse(body)
    if prediction.implausible:
        _log.warning(
            "implausible values of prediction %s are left out: %s",
            prediction.id,
            ", ".join(prediction.implausible),
        )
    return prediction


def json_of(response: httpx.Response) -> object:
    """The decoded body, None when it is not JSON (a proxy's HTML page)."""
    try:
        return read_json(response.content)
    except ValueError:
        return None


def retry_after(response: httpx.Response) -> float | None:
    """Seconds to wait, from the body's `retry_after`, the header, or the sentence in `detail`."""
    problem = _problem(response)
    sentence = _RESETS_IN.search(text_of(problem.get("detail")) or "")
    candidates = (
        problem.get("retry_after"),
        response.headers.get("retry-after"),
        sentence and sentence[1],
    )
    for candidate in candidates:
        seconds = _wait(candidate, response.headers.get("date"))
        if seconds is not None:
            return seconds
    return None


def _wait(value: object, date: str | None) -> float | None:
    """Seconds of a number, a numeral or an HTTP date, which counts from the answer's own `Date`."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except ValueError:
        until = _http_date(value)
        if until is None:
            return None
        seconds = max(0.0, (until - (_http_date(date) or datetime.now(UTC))).total_seconds())
    except OverflowError:
        return None
    return seconds if 0 <= seconds <= _LONGEST_WAIT else None


def _http_date(value: object) -> datetime | None:
    """RFC 9110, section 5.6.7; a time without an offset is in GMT."""
    try:
        at = parsedate_to_datetime(str(value))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def to_error(response: httpx.Response) -> VslError:
    """The error behind an answer that is not 2xx."""
    status = response.status_code
    problem = _problem(response)
    detail = (text_of(problem.get("detail")) or text_of(problem.get("title")) or "").strip()
    detail = detail[:_MAX_DETAIL]
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
        providerError=detail or None,
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
            key: (text_of(entry[key]) or "")[:_MAX_DETAIL]
            for key in ("field", "type", "description")
            if key in entry
        }
        for entry in given[:_MAX_FIELDS]
        if isinstance(entry, Mapping)
    ]
