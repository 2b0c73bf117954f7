"""Standard Webhooks signatures, as Replicate sends them.

Source: https://replicate.com/docs/topics/webhooks/verify-webhook: HMAC-SHA256 over
`id.timestamp.body` with the base64 part of `whsec_…` as key; the header may hold several
space-separated `v1,<base64>` entries while a secret is being rotated.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping

from vsl.domain.errors import InvalidSignature

TOLERANCE_SECONDS = 300
# What Standard Webhooks allows begins at 24 bytes; an empty key would let everybody sign.
MIN_KEY_BYTES = 16
_PREFIX = "whsec_"
_SECONDS = re.compile("[0-9]{1,12}")


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Iterable[str],
    now: float,
    tolerance: int = TOLERANCE_SECONDS,
) -> None:
    """Raises InvalidSignature unless one of `secrets` signed exactly these bytes, recently.

    Header names are matched without case; `now` in seconds since 1970.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    identifier = lower.get("webhook-id", "")
    timestamp = lower.get("webhook-timestamp", "")
    given = lower.get("webhook-signature", "")
    if not identifier or not timestamp or not given:
        raise InvalidSignature("The signature headers are missing.")
    if not _SECONDS.fullmatch(timestamp) or abs(now - int(timestamp)) > tolerance:
        raise InvalidSignature("The signature's time is out of tolerance.")
    candidates = [
        value.encode()
        for version, _, value in (entry.partition(",") for entry in given.split())
        if version == "v1" and value.isascii()
    ]
    for secret in secrets:
        expected = sign(secret, identifier, timestamp, body).encode()
        if any(hmac.compare_digest(expected, candidate) for candidate in candidates):
            return
    raise InvalidSignature("The signature does not match.")


def read_secrets(text: str, least_bytes: int = MIN_KEY_BYTES) -> tuple[list[str], list[int]]:
    """The secrets in a parameter, and the places (from 1) of those that are malformed or too short."""
    good, bad = [], []
    for place, secret in enumerate(parts_of(text), 1):
        padded = secret + "=" * (-len(secret.removeprefix(_PREFIX)) % 4)
        try:
            key = base64.b64decode(padded.removeprefix(_PREFIX), validate=True)
        except ValueError:
            key = b""
        if len(key) < least_bytes:
            bad.append(place)
        else:
            good.append(padded)
    return good, bad


def parts_of(text: str) -> list[str]:
    """The secrets in a parameter, separated by commas or line ends, without quotes and blanks around."""
    return [part for each in re.split(r"[,\s]+", text) if (part := each.strip("\"'"))]


def sign(secret: str, identifier: str, timestamp: str, body: bytes) -> str:
    """The base64 signature, without its `v1,` prefix. Raises ValueError on a malformed secret."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook secret is whsec_ and base64") from error
    signed = f"{identifier}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
