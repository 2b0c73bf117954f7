"""Addresses of stored objects at the distribution, signed with a canned policy.

Their end is the end of a period, so every process makes the same address of an object within half of
its life: what one has signed, a browser and the entity tag of an answer know from any other.

The query forces the answer's content type as a presigned address does (`adapters.s3.signer`): the
distribution hands those two members on to S3, and they are part of what is signed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote, urlencode

from vsl.adapters.cloudfront.signing_keys import SigningKey, find_signing_key, read_distribution
from vsl.adapters.s3.presigning import path_of
from vsl.adapters.s3.signer import KEPT, response_headers, within_bounds


@dataclass(frozen=True, slots=True, eq=False)
class _Edge:
    address: str
    key: SigningKey


class CloudFrontAddresses:
    """Implements `services.ports.media.Signer`. `delivery` and `private_key` give the two texts of
    `signing_keys` as they are now. `url` raises ConfigurationError, and what reading them raises."""

    def __init__(
        self, delivery: Callable[[], str], private_key: Callable[[], str], seconds: int
    ) -> None:
        self._delivery = delivery
        self._private_key = private_key
        self._half = within_bounds(seconds) // 2
        self._signed = lru_cache(maxsize=KEPT)(self._sign)
        self._edge = lru_cache(maxsize=1)(_edge)

    def url(self, s3_key: str, content_type: str | None = None) -> str:
        edge = self._edge(self._delivery(), self._private_key())
        return self._signed(s3_key, content_type, edge, self.period(_now()))

    def period(self, at: datetime) -> int:
        return int(at.timestamp()) // self._half

    def _sign(self, s3_key: str, content_type: str | None, edge: _Edge, period: int) -> str:
        from botocore.signers import CloudFrontSigner

        query = urlencode(response_headers(s3_key, content_type), quote_via=quote)
        url = f"{edge.address}{path_of(s3_key)}?{query}"
        end = datetime.fromtimestamp((period + 2) * self._half, UTC)
        signed = CloudFrontSigner(edge.key.id, edge.key.sign).generate_presigned_url(url, end)
        # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PrivateCFSignatureCodeAndExamples.html
        return f"{signed}&Hash-Algorithm=SHA256"


def _now() -> datetime:
    return datetime.now(UTC)


def _edge(delivery: str, private_key: str) -> _Edge:
    distribution = read_distribution(delivery)
    return _Edge(distribution.address, find_signing_key(private_key, distribution))
