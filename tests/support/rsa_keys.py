"""Keys of CloudFront's kind for tests, made once for each name."""

import base64
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


@cache
def pair(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key of that name, the same each time."""
    return rsa.generate_private_key(65537, bits)


def pem(key: Any, password: bytes | None = None) -> str:
    encryption: Any = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password)
    form = serialization.PrivateFormat.PKCS8
    return str(key.private_bytes(serialization.Encoding.PEM, form, encryption).decode())


def public_pem(key: Any) -> str:
    return str(
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def lines(key: Any) -> str:
    """A public key as the template's parameter has it."""
    return ",".join(public_pem(key).splitlines()[1:-1])


def canned(url: str, expires: int, key: rsa.RSAPrivateKey, key_id: str, hash_name: str) -> str:
    """The address with a canned policy, signed by hand after CloudFront's description of it.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-canned-policy.html
    """
    policy = (
        '{"Statement":[{"Resource":"' + url + '","Condition":'
        '{"DateLessThan":{"AWS:EpochTime":' + str(expires) + "}}}]}"
    )
    by = {"SHA1": hashes.SHA1(), "SHA256": hashes.SHA256()}[hash_name]
    made = base64.b64encode(key.sign(policy.encode(), padding.PKCS1v15(), by)).decode()
    signature = made.translate(str.maketrans("+=/", "-_~"))
    told = f"Expires={expires}&Signature={signature}&Key-Pair-Id={key_id}"
    told += "" if hash_name == "SHA1" else f"&Hash-Algorithm={hash_name}"
    return f"{url}{'&' if '?' in url else '?'}{told}"
