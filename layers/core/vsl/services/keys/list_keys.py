"""The keys that were minted, without their secrets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vsl.domain.api.api_key_request import parse_key_list
from vsl.domain.api.caller import Caller
from vsl.services.ports.api_keys import ApiKeys
from vsl.services.ports.system import Clock


@dataclass(frozen=True, slots=True)
class ListKeys:
    keys: ApiKeys
    clock: Clock

    def __call__(self, query: Mapping[str, str], caller: Caller) -> dict[str, Any]:
        """A page, in no order. Raises Forbidden for a user, and InvalidRequest."""
        caller.require_trusted()
        found, cursor = self.keys.page(parse_key_list(query))
        now = self.clock.now()
        return {"keys": [key.document(now) for key in found], "nextCursor": cursor}
