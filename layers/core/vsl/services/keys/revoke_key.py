"""Take a key back for good."""

from dataclasses import dataclass

from vsl.domain.api.api_key import is_key_id
from vsl.domain.api.caller import Caller
from vsl.domain.errors import KeyNotFound
from vsl.services.ports.api_keys import ApiKeys
from vsl.services.ports.system import Clock


@dataclass(frozen=True, slots=True)
class RevokeKey:
    keys: ApiKeys
    clock: Clock

    def __call__(self, key_id: str, caller: Caller) -> None:
        """The first time counts, a repetition changes nothing. Raises Forbidden for a user; KeyNotFound."""
        caller.require_trusted()
        if not is_key_id(key_id) or self.keys.revoke(key_id, self.clock.now()) is None:
            raise KeyNotFound("There is no key with this id.")
