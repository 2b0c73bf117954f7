"""Keys of the API as they were read a moment ago; implements `services.ports.api_keys.ApiKeyLookup`.

API Gateway's own cache of authorizations is off: it needs each identity source that it is told of in every
request, and a key comes in one of two headers. So each process keeps the keys that it has seen.
"""

from collections import OrderedDict
from datetime import datetime, timedelta

from vsl.domain.api.api_key import ApiKey
from vsl.services.ports.api_keys import ApiKeyLookup
from vsl.services.ports.system import Clock

# A revoked key is good for so long at most.
KEPT = timedelta(seconds=30)
LARGEST = 1000


class CachedApiKeys:
    """Unknown ids are not kept: a key that was made just now is good at once."""

    def __init__(self, keys: ApiKeyLookup, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._kept: OrderedDict[str, tuple[datetime, ApiKey]] = OrderedDict()

    def find(self, key_id: str) -> ApiKey | None:
        # Before the read: what is read may have changed by its end. By the wall clock, which goes on while
        # Lambda keeps the process frozen.
        now = self._clock.now()
        read_at, known = self._kept.get(key_id, (None, None))
        if read_at is not None and timedelta() <= now - read_at < KEPT:
            return known
        self._kept.pop(key_id, None)
        found = self._keys.find(key_id)
        if found is not None:
            self._kept[key_id] = (now, found)
            if len(self._kept) > LARGEST:
                self._kept.popitem(last=False)
        return found
