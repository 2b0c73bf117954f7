"""Gateway responses: what API Gateway answers itself, with the document's own bodies and headers.

Defaults and types: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_DEFAULT_TEMPLATE = '{"message":$context.error.messageString}'
_VARIABLE = re.compile(r"\$\{?context((?:\.[A-Za-z]+)+)\}?")

_TYPES = {
    "MISSING_AUTHENTICATION_TOKEN": (403, "MissingAuthenticationTokenException"),
    "INVALID_API_KEY": (403, "ForbiddenException"),
    "INVALID_SIGNATURE": (403, "InvalidSignatureException"),
    "UNAUTHORIZED": (401, "UnauthorizedException"),
    "ACCESS_DENIED": (403, "AccessDeniedException"),
    "AUTHORIZER_FAILURE": (500, "InternalServerErrorException"),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "AuthorizerConfigurationException"),
    "EXPIRED_TOKEN": (401, "UnauthorizedException"),
    "BAD_REQUEST_BODY": (400, "BadRequestException"),
    "BAD_REQUEST_PARAMETERS": (400, "BadRequestException"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "BadRequestException"),
    "REQUEST_TOO_LARGE": (413, "RequestTooLargeException"),
    "INTEGRATION_FAILURE": (504, "InternalServerErrorException"),
    "INTEGRATION_TIMEOUT": (504, "InternalServerErrorException"),
    "API_CONFIGURATION_ERROR": (500, "InternalServerErrorException"),
    "DEFAULT_5XX": (502, "InternalServerErrorException"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; header names may repeat."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class GatewayError(Exception):
    """A request ends in a gateway response of type `kind`.

    `details` goes into `$context.error.validationErrorString`.
    """

    def __init__(self, kind: str, message: str, details: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.details = details


def gateway_response(
    error: GatewayError, configured: Mapping[str, Any], context: Mapping[str, Any]
) -> Answer:
    """The configured response of the error's type, else of DEFAULT_4XX / DEFAULT_5XX, else AWS's own."""
    status, error_type = _TYPES[error.kind]
    fallback = "DEFAULT_4XX" if status < 500 else "DEFAULT_5XX"
    definition = configured.get(error.kind) or configured.get(fallback) or {}
    scope = {
        **context,
        "error": {
            "message": error.message,
            "messageString": json.dumps(error.message),
            "validationErrorString": json.dumps(error.details)[1:-1],  # escaped, without quotes
            "responseType": error.kind,
        },
    }
    templates = definition.get("responseTemplates") or {"application/json": _DEFAULT_TEMPLATE}
    content_type, template = next(iter(templates.items()))
    headers = {"x-amzn-ErrorType": error_type, "Content-Type": content_type}
    for target, source in definition.get("responseParameters", {}).items():
        if target.startswith("gatewayresponse.header."):
            headers[target.removeprefix("gatewayresponse.header.")] = _value(source, scope)
    return Answer(
        int(definition.get("statusCode") or status),
        substitute(template, scope).encode(),
        tuple(headers.items()),
    )


def substitute(template: str, context: Mapping[str, Any]) -> str:
    """Replace `$context.a.b`; gateway responses know variables, but no VTL and no escaping."""
    return _VARIABLE.sub(lambda found: _lookup(found[1], context), template)


def _value(source: str, context: Mapping[str, Any]) -> str:
    if source.startswith("'"):
        return source.strip("'")
    return _lookup(source.removeprefix("context"), context)


def _lookup(path: str, context: Mapping[str, Any]) -> str:
    value: Any = context
    for name in path.removeprefix(".").split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return "" if value is None else str(value)
