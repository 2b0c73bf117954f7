"""Who may call: API keys, tokens of a user pool and signed requests, checked as API Gateway does.

What it says to whom: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

import hashlib
import hmac
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from devstack.gateway.request import Request
from devstack.gateway.responses import GatewayError

_TOLERANCE_SECONDS = 300
_SIGNATURE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,]+)/(?P<day>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)"
    r"/aws4_request, ?SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Access:
    """Whom the front knows. `issuer` and `jwks` (RFC 7517) describe the user pool, `signing_keys` are
    secrets by access key id."""

    api_keys: Collection[str] = ()
    issuer: str = ""
    jwks: Mapping[str, Any] | None = None
    signing_keys: Mapping[str, str] | None = None
    region: str = "us-east-1"

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Access":
        """From what `vsl deploy` wrote down."""
        return cls(
            document.get("apiKeys", ()),
            document.get("issuer", ""),
            document.get("jwks"),
            document.get("signingKeys"),
        )

    def admit(self, scheme: str, request: Request) -> None:
        """Let the request pass, with what is known of its sender. Raises GatewayError."""
        if scheme == "API_KEY":
            self._by_key(request)
        elif scheme == "COGNITO":
            self._by_token(request)
        elif scheme == "IAM":
            self._by_signature(request)

    def _by_key(self, request: Request) -> None:
        key = request.header("X-Api-Key")
        if key not in self.api_keys:
            raise GatewayError("INVALID_API_KEY", "Forbidden")
        request.identity |= {"apiKey": key}

    def _by_token(self, request: Request) -> None:
        """Without scopes on a method, a user pool authorizer takes identity tokens alone."""
        import jwt  # noqa: PLC0415

        token = request.header("Authorization").removeprefix("Bearer ")
        try:
            key = jwt.PyJWKSet.from_dict(dict(self.jwks or {}))[
                jwt.get_unverified_header(token).get("kid", "")
            ]
            claims = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                issuer=self.issuer,
                options={"require": ["exp", "iss", "sub"], "verify_aud": False},
            )
        except jwt.ExpiredSignatureError:
            raise GatewayError("EXPIRED_TOKEN", "The incoming token has expired") from None
        except (jwt.InvalidTokenError, jwt.PyJWKSetError, KeyError):
            raise GatewayError("UNAUTHORIZED", "Unauthorized") from None
        if claims.get("token_use") != "id":
            raise GatewayError("UNAUTHORIZED", "Unauthorized")
        request.authorizer = {"claims": {name: str(value) for name, value in claims.items()}}

    def _by_signature(self, request: Request) -> None:
        given = request.header("Authorization")
        if not given:
            raise GatewayError("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
        parts = _SIGNATURE.fullmatch(given)
        if parts is None:
            raise GatewayError("INVALID_SIGNATURE", "The Authorization header is incomplete.")
        secret = (self.signing_keys or {}).get(parts["key"])
        if secret is None:
            message = "The security token included in the request is invalid."
            raise GatewayError("INVALID_SIGNATURE", message)
        at = request.header("X-Amz-Date")
        names = parts["headers"].split(";")
        scoped = (parts["day"], parts["region"], parts["service"])
        if "host" not in names or scoped != (at[:8], self.region, "execute-api"):
            raise GatewayError("INVALID_SIGNATURE", "Credential should be scoped to this API.")
        if not _recent(at):
            raise GatewayError("INVALID_SIGNATURE", "Signature expired or not yet valid.")
        if not hmac.compare_digest(
            _signature(request, names, at, (parts["key"], secret), self.region), parts["signature"]
        ):
            message = (
                "The request signature we calculated does not match the signature you provided."
            )
            raise GatewayError("INVALID_SIGNATURE", message)
        arn = f"arn:aws:iam::000000000000:user/{parts['key']}"
        request.identity |= {"accessKey": parts["key"], "userArn": arn, "caller": parts["key"]}


def _recent(at: str) -> bool:
    try:
        moment = datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(time.time() - moment.timestamp()) <= _TOLERANCE_SECONDS


def _signature(
    request: Request, names: list[str], at: str, key: tuple[str, str], region: str
) -> str:
    """What botocore would have signed this request with; a body that differs from a signed hash of it
    gives no signature at all."""
    from botocore.auth import SigV4Auth  # noqa: PLC0415
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.credentials import Credentials  # noqa: PLC0415

    path = request.raw_path or quote(request.path)
    url = f"https://{request.header('Host')}{path}"
    signed = AWSRequest(
        request.method,
        f"{url}?{request.raw_query}" if request.raw_query else url,
        data=request.body,
    )
    for name in names:
        for sent, value in request.headers:
            if sent.lower() == name:
                signed.headers.add_header(name, value)
    declared = request.header("X-Amz-Content-SHA256")
    if declared and declared != hashlib.sha256(request.body).hexdigest():
        return ""
    signed.context["timestamp"] = at
    signer = SigV4Auth(Credentials(*key), "execute-api", region)
    canonical = signer.canonical_request(signed)
    return str(signer.signature(signer.string_to_sign(signed, canonical), signed))
