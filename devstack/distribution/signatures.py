"""Signed addresses, checked as CloudFront does.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-canned-policy.html
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

_SIGNING = ("Expires", "Signature", "Key-Pair-Id", "Hash-Algorithm", "Policy")


class RefusedError(Exception):
    """403 with CloudFront's code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def admit(base: str, query: str, keys: Mapping[str, str], now: float) -> str:
    """The query without what signs it. `base` is the address before the query, `keys` are PEM by id.

    Raises RefusedError. Of policies only the canned one is known.
    """
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415

    parts = [part.partition("=") for part in query.split("&") if part]
    told = {name: value for name, _, value in parts if name in _SIGNING}
    own = "&".join("".join(part) for part in parts if part[0] not in _SIGNING)
    if "Key-Pair-Id" not in told:
        raise RefusedError("MissingKey", "Missing Key-Pair-Id query parameter or cookie value")
    if told["Key-Pair-Id"] not in keys:
        raise RefusedError("InvalidKey", "Unknown Key")
    resource = f"{base}?{own}" if own else base
    policy = (
        f'{{"Statement":[{{"Resource":"{resource}","Condition":'
        f'{{"DateLessThan":{{"AWS:EpochTime":{told.get("Expires")}}}}}}}]}}'
    )
    public: Any = serialization.load_pem_public_key(keys[told["Key-Pair-Id"]].encode())
    by = hashes.SHA256() if told.get("Hash-Algorithm") == "SHA256" else hashes.SHA1()  # noqa: S303 # nosec B303
    try:
        text = told["Signature"].translate(str.maketrans("-_~", "+=/"))
        signature = base64.b64decode(text, validate=True)
        public.verify(signature, policy.encode(), padding.PKCS1v15(), by)
        expired = int(told["Expires"]) <= now
    except (InvalidSignature, KeyError, ValueError, binascii.Error):
        raise RefusedError("AccessDenied", "Access denied") from None
    if expired:
        raise RefusedError("AccessDenied", "Access denied")
    return own
