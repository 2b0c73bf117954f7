"""One HTTP request as API Gateway sees it: its context, and the Lambda proxy event made from it.

Event format: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import base64
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatch
from typing import Any
from urllib.parse import parse_qsl

from devstack.gateway.document import Match

_IDENTITY = ("accessKey", "accountId", "apiKey", "caller", "cognitoIdentityId", "user", "userArn")

type Pairs = tuple[tuple[str, str], ...]


@dataclass
class Request:
    """`headers` keep the sender's case and order; `body` is raw."""

    method: str
    path: str
    raw_query: str
    headers: Pairs
    body: bytes
    source_ip: str = "127.0.0.1"
    raw_path: str = ""
    """As it was sent, escapes and all: signatures are made over it."""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    identity: dict[str, Any] = field(default_factory=dict)
    """What is known of the sender beyond the defaults of `$context.identity`."""
    authorizer: dict[str, Any] | None = None
    _received: float = field(default_factory=time.time)

    @property
    def query(self) -> Pairs:
        return tuple(parse_qsl(self.raw_query, keep_blank_values=True))

    def header(self, name: str, default: str = "") -> str:
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), default)

    @property
    def content_type(self) -> str:
        """Without parameters; API Gateway takes a missing one for JSON."""
        return self.header("Content-Type", "application/json").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace")

    def parameters(self, match: Match) -> dict[str, dict[str, str]]:
        """What `$input.params()` returns; of repeated ones the last counts."""
        return {
            "path": dict(match.path_parameters),
            "querystring": dict(self.query),
            "header": dict(self.headers),
        }

    def context(self, resource: str, stage: str) -> dict[str, Any]:
        """`$context` of templates and `requestContext` of events."""
        moment = datetime.fromtimestamp(self._received, UTC)
        host = self.header("Host", "127.0.0.1")
        authorizer = {} if self.authorizer is None else {"authorizer": self.authorizer}
        return {
            **authorizer,
            "accountId": "000000000000",
            "apiId": "local",
            "deploymentId": "local",
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "extendedRequestId": self.id,
            "httpMethod": self.method,
            "identity": {
                **dict.fromkeys(_IDENTITY),
                "sourceIp": self.source_ip,
                "userAgent": self.header("User-Agent") or None,
                **self.identity,
            },
            "path": self.path,
            "protocol": "HTTP/1.1",
            "requestId": self.id,
            "requestTime": moment.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "requestTimeEpoch": int(self._received * 1000),
            "resourceId": "local",
            "resourcePath": resource,
            "stage": stage,
        }

    def proxy_event(
        self, match: Match, stage: str, binary_types: tuple[str, ...]
    ) -> dict[str, Any]:
        """The event of a Lambda proxy integration; empty collections are null, as on AWS."""
        binary = any(fnmatch(self.content_type, pattern) for pattern in binary_types)
        body = base64.b64encode(self.body).decode() if binary else self.text
        return {**self._event(match, stage), "body": body or None, "isBase64Encoded": binary}

    def authorizer_event(self, match: Match, stage: str, api_arn: str) -> dict[str, Any]:
        """The event of a Lambda authorizer of type REQUEST, which sees no body.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
        """
        arn = f"{api_arn}/{stage}/{self.method}{self.path}"
        return {"type": "REQUEST", "methodArn": arn, **self._event(match, stage)}

    def _event(self, match: Match, stage: str) -> dict[str, Any]:
        resource = match.operation.resource
        return {
            "resource": resource,
            "path": self.path,
            "httpMethod": self.method,
            "headers": dict(self.headers) or None,
            "multiValueHeaders": _grouped(self.headers),
            "queryStringParameters": dict(self.query) or None,
            "multiValueQueryStringParameters": _grouped(self.query),
            "pathParameters": dict(match.path_parameters) or None,
            "stageVariables": None,
            "requestContext": self.context(resource, stage),
        }


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]] | None:
    groups: dict[str, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups or None
