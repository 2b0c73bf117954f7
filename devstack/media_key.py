"""The key that signs addresses of a local stack's files, with `--media-delivery cloudfront`."""

from pathlib import Path
from typing import Any

from devstack.kept_file import kept


def private_key(file: Path) -> str:
    """In PEM; made once for the folder of a stack."""
    return kept(file, new_rsa_key)


def public_lines(private_pem: str) -> str:
    """The public half as the template's parameters take it: the lines of its PEM, joined by commas."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    private: Any = serialization.load_pem_private_key(private_pem.encode(), None)
    text: bytes = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return ",".join(text.decode().splitlines()[1:-1])


def new_rsa_key() -> str:
    """A private key of 2048 bits, in PEM."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem.decode()
