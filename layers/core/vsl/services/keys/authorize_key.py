"""Who sends a request, by the key it carries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vsl.domain.api.api_key import ApiKey, ApiKeyRefused, given_key, split_key
from vsl.services.ports.api_keys import ApiKeyLookup
from vsl.services.ports.system import Clock


@dataclass(frozen=True, slots=True)
class AuthorizeKey:
    keys: ApiKeyLookup
    clock: Clock

    def __call__(self, headers: Mapping[str, Sequence[str]]) -> ApiKey:
        """The key of a request, by its headers with all their values.

        Raises ApiKeyRefused, and StoreUnavailable when it cannot be known: an admission never comes of that.
        """
        key_id, secret = split_key(
            given_key(_values(headers, "authorization"), _values(headers, "x-api-key"))
        )
        key = self.keys.find(key_id)
        if key is None:
            raise ApiKeyRefused("unknown", key_id)
        key.check(secret, self.clock.now())
        return key


def _values(headers: Mapping[str, Sequence[str]], wanted: str) -> list[str]:
    return [text for name, values in headers.items() if name.lower() == wanted for text in values]
