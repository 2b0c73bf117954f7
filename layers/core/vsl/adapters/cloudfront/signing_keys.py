"""Which key signs for the distribution: the one in SSM whose public half CloudFront has.

The stack writes `media-delivery`, the address of its distribution and the public keys of the key group
by their ids; the operator writes `media-private-key`. The private key chooses among the public ones, so a
rotation is one write, after CloudFront has the new key and before it loses the old one.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_private_key

from vsl.domain.errors import ConfigurationError

DELIVERY = "media-delivery"
PRIVATE_KEY = "media-private-key"  # pragma: allowlist secret - its name
KEY_BITS = 2048
"""What CloudFront takes of RSA.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-trusted-signers.html"""


@dataclass(frozen=True, slots=True)
class Distribution:
    """`address` has no slash at its end; `public_keys` are base64 of DER by CloudFront's ids of them."""

    address: str
    public_keys: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class SigningKey:
    """`sign` makes a signature by RSA (PKCS #1 v1.5) over the SHA-256 of what it is given."""

    id: str
    sign: Callable[[bytes], bytes]


def read_distribution(text: str) -> Distribution:
    """Raises ConfigurationError for a text that no stack wrote."""
    try:
        document = json.loads(text)
        keys = {str(key_id): key.replace(",", "") for key_id, key in document["keys"].items()}
        return Distribution(str(document["address"]).rstrip("/"), keys)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise _faulty(DELIVERY, "is not what the stack writes: deploy again") from None


def find_signing_key(pem: str, distribution: Distribution) -> SigningKey:
    """Raises ConfigurationError, naming the parameter, for a text that is no such key, and for a key that
    the key group does not have."""
    private = _private_key(pem)

    def sign(message: bytes) -> bytes:
        return private.sign(message, padding.PKCS1v15(), hashes.SHA256())

    public = private.public_key()
    try:  # in place of the library's own check, which takes fifty times as long
        public.verify(sign(b"vsl"), b"vsl", padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise _faulty(PRIVATE_KEY, "is no private key: its numbers do not fit each other") from None
    ours = public.public_numbers()
    for key_id, encoded in distribution.public_keys.items():
        if _numbers(encoded) == ours:
            return SigningKey(key_id, sign)
    raise _faulty(
        PRIVATE_KEY, "belongs to neither MediaPublicKeyA nor MediaPublicKeyB of the stack"
    )


def _private_key(pem: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it has a password
        raise _faulty(PRIVATE_KEY, "is no private key in PEM without a password") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size != KEY_BITS:
        raise _faulty(PRIVATE_KEY, f"is no RSA key of {KEY_BITS} bits")
    return key


def _numbers(encoded: str) -> object:
    """Of a public key; None for a text that is none."""
    try:
        key = load_der_public_key(base64.b64decode(encoded))
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key.public_numbers() if isinstance(key, RSAPublicKey) else None


def _faulty(name: str, what: str) -> ConfigurationError:
    return ConfigurationError(f"The SSM parameter {name} {what}.", parameter=name)
