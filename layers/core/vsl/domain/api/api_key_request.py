"""What operators ask of keys, read strictly."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from vsl.domain.api.api_key import is_key_id
from vsl.domain.api.repetition import MAX_WINDOW_SECONDS
from vsl.domain.api.request import is_user_id
from vsl.domain.errors import InvalidRequest
from vsl.domain.suggestions import named

KEYS = ("userId", "project", "expiresAt", "expiresIn", "dedupeSeconds")
DEFAULT_LIMIT, LARGEST_LIMIT = 100, 100
LONGEST_SECONDS = 10 * 366 * 86_400
_PROJECT = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,100}")


@dataclass(frozen=True, slots=True)
class NewApiKey:
    user_id: str | None
    project: str | None
    expires_at: datetime | None
    dedupe_seconds: int = 0


@dataclass(frozen=True, slots=True)
class ApiKeyList:
    """`owner` None: everybody's. `after` is the key that the page before ended with."""

    owner: str | None
    limit: int
    after: str | None


def parse_new_key(body: Mapping[str, Any], now: datetime) -> NewApiKey:
    """Of `{userId?, project?, expiresAt? | expiresIn?, dedupeSeconds?}`. Raises InvalidRequest, with
    every fault."""
    strange = [key for key in body if key not in KEYS][:10]
    faults = {named(key): f"is not known here. Known are: {', '.join(KEYS)}" for key in strange}
    user_id, project = body.get("userId"), body.get("project")
    if user_id is not None and not is_user_id(user_id):
        faults["userId"] = "must be a user id"
    if project is not None and not (isinstance(project, str) and _PROJECT.fullmatch(project)):
        faults["project"] = "must be 1 to 100 characters, none of them a control character"
    expires_at, dedupe = _expiry(body, now, faults), body.get("dedupeSeconds", 0)
    if not _is_whole(dedupe) or not 0 <= dedupe <= MAX_WINDOW_SECONDS:
        faults["dedupeSeconds"] = f"must be whole seconds from 0 to {MAX_WINDOW_SECONDS}"
    if faults:
        raise InvalidRequest.of(faults.items())
    return NewApiKey(user_id, project, expires_at, dedupe)


def parse_key_list(query: Mapping[str, str]) -> ApiKeyList:
    """Of `owner`, `limit` and `cursor`. Raises InvalidRequest, with every fault."""
    owner, cursor, limit = query.get("owner"), query.get("cursor"), DEFAULT_LIMIT
    faults = {}
    if owner is not None and not is_user_id(owner):
        faults["owner"] = "must be a user id"
    if cursor is not None and not is_key_id(cursor):
        faults["cursor"] = "is none that a list of keys gave"
    text = query.get("limit")
    if text is not None:
        limit = int(text) if re.fullmatch(r"[0-9]{1,3}", text) else 0
        if not 1 <= limit <= LARGEST_LIMIT:
            faults["limit"] = f"must be a whole number from 1 to {LARGEST_LIMIT}"
    if faults:
        raise InvalidRequest.of(faults.items())
    return ApiKeyList(owner, limit, cursor)


def _expiry(body: Mapping[str, Any], now: datetime, faults: dict[str, str]) -> datetime | None:
    at, seconds = body.get("expiresAt"), body.get("expiresIn")
    latest = now + timedelta(seconds=LONGEST_SECONDS)
    if at is not None and seconds is not None:
        faults["expiresIn"] = "must not come together with expiresAt"
    elif at is not None:
        moment = _moment(at)
        if moment is None or not now < moment <= latest:
            faults["expiresAt"] = "must be a time to come, with its zone, within ten years"
        return moment
    elif seconds is not None:
        if not _is_whole(seconds) or not 1 <= seconds <= LONGEST_SECONDS:
            faults["expiresIn"] = f"must be whole seconds from 1 to {LONGEST_SECONDS}"
        else:
            return now + timedelta(seconds=seconds)
    return None


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _moment(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value)) if isinstance(value, str) else None
        return at.astimezone(UTC) if at is not None and at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
