"""Mint a key, which is shown this once."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vsl.domain.api.api_key import SECRET_BYTES, ApiKey, hash_secret, join_key
from vsl.domain.api.api_key_request import parse_new_key
from vsl.domain.api.caller import Caller
from vsl.domain.errors import InvalidRequest, KeyAlreadyCreated
from vsl.domain.jobs.idempotency import IDEMPOTENCY_KEY, KEY_RULE, is_key
from vsl.services.ports.api_keys import ApiKeys
from vsl.services.ports.system import Clock


@dataclass(frozen=True, slots=True)
class CreateKey:
    keys: ApiKeys
    clock: Clock

    def __call__(
        self, idempotency_key: str | None, body: Mapping[str, Any], caller: Caller
    ) -> dict[str, Any]:
        """The public document with the whole `key`, which nothing can tell again.

        Raises Forbidden for a user, InvalidRequest, and KeyAlreadyCreated for an Idempotency-Key that made a
        key before: what was shown once is not kept, and a second key is not made.
        """
        caller.require_trusted()
        if idempotency_key is not None and not is_key(idempotency_key):
            raise InvalidRequest.of([(IDEMPOTENCY_KEY, KEY_RULE)])
        now = _milliseconds(self.clock.now())
        wanted = parse_new_key(body, now)
        secret = secrets.token_urlsafe(SECRET_BYTES)
        key = ApiKey(
            key_id=_key_id(idempotency_key),
            secret_hash=hash_secret(secret),
            created_at=now,
            user_id=wanted.user_id,
            project=wanted.project,
            expires_at=wanted.expires_at and _milliseconds(wanted.expires_at),
            dedupe_seconds=wanted.dedupe_seconds,
        )
        if not self.keys.create(key):
            message = (
                "This Idempotency-Key made a key before, whose secret was shown then: revoke it."
            )
            raise KeyAlreadyCreated(message, keyId=key.key_id)
        return {**key.document(now), "key": join_key(key.key_id, secret)}


def _milliseconds(at: datetime) -> datetime:
    """As the store keeps it: the answer and later lists say the same."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _key_id(idempotency_key: str | None) -> str:
    """The same for the same Idempotency-Key: a repetition meets the key that it made."""
    if idempotency_key is None:
        return secrets.token_hex(8)
    return hashlib.sha256(f"api-key {idempotency_key}".encode()).hexdigest()[:16]
