"""The address at which a client wants to hear of its job's end, as far as it can be judged unresolved.

What a name leads to is checked when the callback is delivered; a literal address is refused here.
"""

import re
from urllib.parse import urlsplit

from vsl.domain.catalogue.addresses import host_of, is_public_host

MAX_CHARACTERS = 2048

_PRINTABLE = re.compile(r"[!-\[\]-~]+")  # ASCII without space and backslash


def check_callback_url(value: object, *, local: bool) -> str:
    """The address. Raises ValueError with what is wrong with it.

    `local`: http and addresses that are not public are taken as well, as the local stack does.
    """
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004 - a fault of the request, not of the code
    wanted = "an https:// URL"
    if len(value) > MAX_CHARACTERS:
        raise ValueError(f"has {len(value):,} characters; at most {MAX_CHARACTERS:,} are allowed")
    if not _PRINTABLE.fullmatch(value):
        raise ValueError(f"must be {wanted}, with spaces and other characters percent-encoded")
    try:
        parts = urlsplit(value)
        host, port = host_of(parts), parts.port
    except ValueError:
        raise ValueError(f"must be {wanted}: host or port is malformed") from None
    if parts.scheme not in ({"https", "http"} if local else {"https"}):
        raise ValueError(f"must be {wanted}")
    if "@" in parts.netloc:
        raise ValueError("must not carry a user name or password")
    if "#" in value:
        raise ValueError("must not have a fragment")
    if port == 0 or not host:
        raise ValueError(f"must be {wanted}: the host or port is missing or malformed")
    if not local and not _may_be_public(host):
        raise ValueError("must not lead to an address inside a network")
    return value


def _may_be_public(host: str) -> bool:
    """False for what is no public host whatever a resolver says."""
    try:
        return is_public_host(host)
    except ValueError:
        return False
