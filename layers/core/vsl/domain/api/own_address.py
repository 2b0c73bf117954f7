"""The address under which clients are told to reach the API: always one of its own."""

from collections.abc import Sequence
from urllib.parse import urlsplit


def own_address(own: Sequence[str], host: object) -> str:
    """The one of `own` (at least one, the usual one first) whose host a request came by.

    What else the request says of itself, and a host that is none of these, changes nothing: answers
    lead clients, and with them their tokens, to no address out of a request.
    """
    asked = str(host).lower()
    found = next((url for url in own if urlsplit(url).netloc.lower() == asked), own[0])
    return found.rstrip("/")
