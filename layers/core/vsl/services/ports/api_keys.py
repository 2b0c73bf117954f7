"""The store of keys that VSL minted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from vsl.domain.api.api_key import ApiKey
from vsl.domain.api.api_key_request import ApiKeyList


class ApiKeyLookup(Protocol):
    def find(self, key_id: str) -> ApiKey | None:
        """Raises StoreUnavailable."""
        ...


class ApiKeys(ApiKeyLookup, Protocol):
    def create(self, key: ApiKey) -> bool:
        """False when another key has this id; a repetition of the same write is a success."""
        ...

    def revoke(self, key_id: str, at: datetime) -> ApiKey | None:
        """The key after it, revoked now or before; None when there is none."""
        ...

    def page(self, wanted: ApiKeyList) -> tuple[Sequence[ApiKey], str | None]:
        """Keys, and what the next page begins after; None: there is none. A page may be short."""
        ...
