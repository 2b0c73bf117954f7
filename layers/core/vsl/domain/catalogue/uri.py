"""Addresses of input media: https URLs, small data URLs and handles of uploads.

The provider fetches them, not we; what is checked is that they are well-formed, carry no
credentials, name no host of a private network and fit the provider's and Step Functions' limits.
Where a name leads is the provider's to judge: it resolves it, at another time and in another network.
"""

import base64
import binascii
import re
from urllib.parse import urlsplit

from vsl.domain.catalogue.addresses import host_of, is_public_host
from vsl.domain.catalogue.uploads import is_handle, upload_id_of

MAX_URL_CHARACTERS = 4096
MAX_DATA_CHARACTERS = 100_000

_DATA = re.compile(
    r"data:[A-Za-z0-9.+-]+/[A-Za-z0-9.+-]+(?:;[A-Za-z0-9.=+-]+)*;base64,(?P<data>.+)"
)
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


def is_data_uri(value: object) -> bool:
    return isinstance(value, str) and value[:5].lower() == "data:"


def check_uri(text: str, *, allow_http: bool) -> None:
    """Raises ValueError with what is wrong, unless the text is an https or data URL, or a handle.

    Whether there is an upload behind a handle is not known here (`services.check_uploads`).

    http and hosts of a private network are taken only if `allow_http`, as the local stack does.
    """
    if is_data_uri(text):
        _check_data(text)
        return
    if is_handle(text):
        upload_id_of(text)
        return
    if len(text) > MAX_URL_CHARACTERS:
        raise ValueError(
            f"is a URL of {len(text):,} characters; {MAX_URL_CHARACTERS:,} are allowed"
        )
    wanted = "an https:// URL, a data: URL or the handle of an upload"
    if not _PRINTABLE.fullmatch(text):
        raise ValueError(f"must be {wanted}, with spaces and other characters percent-encoded")
    schemes = ("https://", "http://") if allow_http else ("https://",)
    if not text.startswith(schemes):
        raise ValueError(f"must be {wanted}")
    try:
        parts = urlsplit(text)
        host, _ = host_of(parts), parts.port
    except ValueError:
        raise ValueError(f"must be {wanted}: host or port is malformed") from None
    if "@" in parts.netloc:
        raise ValueError("must not carry a user name or password")
    if not host:
        raise ValueError(f"must be {wanted}: the host is missing or malformed")
    if not allow_http and not _on_the_internet(host, wanted):
        raise ValueError("must lead to a public host, for the provider fetches it")


def _on_the_internet(host: str, wanted: str) -> bool:
    try:
        return is_public_host(host)
    except ValueError as error:
        raise ValueError(f"must be {wanted}: {error}") from None


def _check_data(text: str) -> None:
    if len(text) > MAX_DATA_CHARACTERS:
        raise ValueError(
            f"is a data: URL of {len(text):,} characters; at most {MAX_DATA_CHARACTERS:,} are"
            " allowed: upload the file and pass its handle"
        )
    match = _DATA.fullmatch(text)
    try:
        base64.b64decode(match["data"] if match else "!", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must have the form data:<type>/<subtype>;base64,<data>") from None
