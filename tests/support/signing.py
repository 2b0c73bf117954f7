"""Requests signed as an SDK signs them, at any moment."""

from datetime import UTC, datetime

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from devstack.identity import Identity


def signed(
    identity: Identity,
    method: str,
    url: str,
    body: bytes = b"",
    *,
    at: datetime | None = None,
    region: str = "us-east-1",
    service: str = "execute-api",
    content_type: str = "application/json",
) -> dict[str, str]:
    """The headers that make the request one of `identity`'s IAM key."""
    moment = (at or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    request = AWSRequest(method, url, data=body, headers={"Content-Type": content_type})
    request.headers["X-Amz-Date"] = moment
    request.context["timestamp"] = moment
    key = Credentials(identity.access_key_id, identity.secret_access_key)
    signer = SigV4Auth(key, service, region)
    signature = signer.signature(
        signer.string_to_sign(request, signer.canonical_request(request)), request
    )
    names = signer.signed_headers(signer.headers_to_sign(request))
    request.headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(request)},"
        f" SignedHeaders={names}, Signature={signature}"
    )
    return dict(request.headers.items())
