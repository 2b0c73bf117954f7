"""A key that VSL minted: `vsl_<keyId>_<secret>`.

Only the SHA-256 of the secret is kept. A secret has 256 random bits, so a slow hash would add nothing: there
are too many to try, however fast the hash is.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vsl.domain.times import iso

PREFIX = "vsl"
SECRET_BYTES = 32
_KEY_ID = r"[0-9a-f]{16}"
# 32 bytes as base64url, without padding.
_API_KEY = re.compile(rf"{PREFIX}_(?P<id>{_KEY_ID})_(?P<secret>[A-Za-z0-9_-]{{43}})", re.ASCII)


class ApiKeyRefused(Exception):
    """A request without a valid key. The message is for the log: the caller is not told the reason."""

    def __init__(self, reason: str, key_id: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.key_id = key_id


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a key. `user_id` None: an operator's, which speaks for a trusted back end.
    `dedupe_seconds`: for how long equal requests by it are one (`domain.api.repetition`), 0 for never."""

    key_id: str
    secret_hash: str
    created_at: datetime
    user_id: str | None = None
    project: str | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    dedupe_seconds: int = 0

    def check(self, secret: str, now: datetime) -> None:
        """Raises ApiKeyRefused unless the secret is this key's and the key is good now."""
        if not hmac.compare_digest(hash_secret(secret), self.secret_hash):
            raise ApiKeyRefused("wrong secret", self.key_id)
        if self.revoked_at is not None:
            raise ApiKeyRefused("revoked", self.key_id)
        if self.expires_at is not None and now >= self.expires_at:
            raise ApiKeyRefused("expired", self.key_id)

    def status(self, now: datetime) -> str:
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and now >= self.expires_at else "active"

    def document(self, now: datetime) -> dict[str, Any]:
        """The public document: nothing of the secret."""
        return {
            "keyId": self.key_id,
            "userId": self.user_id,
            "project": self.project,
            "status": self.status(now),
            "createdAt": iso(self.created_at),
            "expiresAt": _iso(self.expires_at),
            "revokedAt": _iso(self.revoked_at),
            "dedupeSeconds": self.dedupe_seconds,
        }


def hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def is_key_id(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(_KEY_ID, value) is not None


def join_key(key_id: str, secret: str) -> str:
    return f"{PREFIX}_{key_id}_{secret}"


def split_key(text: str) -> tuple[str, str]:
    """(keyId, secret). Raises ApiKeyRefused for what is no key."""
    found = _API_KEY.fullmatch(text)
    if found is None:
        raise ApiKeyRefused("malformed")
    return found["id"], found["secret"]


def given_key(authorizations: list[str], api_keys: list[str]) -> str:
    """The one key of a request, by all its `Authorization` and `x-api-key` headers.

    Raises ApiKeyRefused without one, for two that differ, and for an `Authorization` that is no `Bearer`:
    nothing may depend on which of them a proxy on the way forwards.
    """
    given = {text.strip() for text in api_keys}
    for text in authorizations:
        scheme, _, credential = text.strip().partition(" ")
        if scheme.lower() != "bearer":
            raise ApiKeyRefused("not a bearer key")
        given.add(credential.strip())
    if not given:
        raise ApiKeyRefused("no key")
    if len(given) > 1:
        raise ApiKeyRefused("two keys")
    return given.pop()


def _iso(at: datetime | None) -> str | None:
    return None if at is None else iso(at)
