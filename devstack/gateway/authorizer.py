"""A Lambda authorizer of type REQUEST: its function is asked about each request, and its policy evaluated.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from devstack.engine import ACCOUNT, REGION
from devstack.gateway.document import Match
from devstack.gateway.integrations import Backend
from devstack.gateway.request import Request
from devstack.gateway.responses import GatewayError

# As in `requestContext.apiId` (devstack/gateway/request.py).
_API_ARN = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:local"
_ACTION = "execute-api:Invoke"
_UNAUTHORIZED = "Unauthorized"


def authorize(backend: Backend, match: Match, request: Request, stage: str) -> None:
    """Let the request pass, with the authorizer's context. Raises GatewayError, as API Gateway answers.

    `Unauthorized` as the error's message is 401; any other error, and an answer that is none, is 5xx.
    """
    event = request.authorizer_event(match, stage, _API_ARN)
    try:
        payload, failed = backend.invoke(match.operation.authorizer, event)
    except GatewayError as error:
        raise GatewayError("AUTHORIZER_FAILURE", error.message) from error
    try:
        answer = json.loads(payload)
    except ValueError:
        raise GatewayError("AUTHORIZER_CONFIGURATION_ERROR", "no JSON") from None
    if failed:
        if isinstance(answer, Mapping) and answer.get("errorMessage") == _UNAUTHORIZED:
            raise GatewayError("UNAUTHORIZED", _UNAUTHORIZED)
        raise GatewayError("AUTHORIZER_FAILURE", "the authorizer failed")
    principal, statements, context = _read(answer)
    arn = event["methodArn"]
    effects = {each["Effect"] for each in statements if _applies(each, arn)}
    if "Deny" in effects:
        message = "User is not authorized to access this resource with an explicit deny"
        raise GatewayError("ACCESS_DENIED", message)
    if "Allow" not in effects:
        raise GatewayError("ACCESS_DENIED", "User is not authorized to access this resource")
    request.authorizer = {"principalId": principal, "integrationLatency": 0, **context}


def _read(answer: Any) -> tuple[str, list[Mapping[str, Any]], dict[str, str]]:
    """(principal, statements, context as texts). Raises GatewayError for what API Gateway does not take."""
    try:
        statements = answer["policyDocument"]["Statement"]
        context = answer.get("context") or {}
        fits = (
            isinstance(answer["principalId"], str)
            and isinstance(statements, list)
            and all(each["Effect"] in {"Allow", "Deny"} for each in statements)
            and all(isinstance(value, str | int | float) for value in context.values())
        )
    except (AttributeError, KeyError, TypeError):
        fits = False
    if not fits:
        raise GatewayError("AUTHORIZER_CONFIGURATION_ERROR", "no policy")
    return answer["principalId"], statements, {name: _text(v) for name, v in context.items()}


def _applies(statement: Mapping[str, Any], arn: str) -> bool:
    actions, resources = _list(statement.get("Action")), _list(statement.get("Resource"))
    return any(_matches(each, _ACTION) for each in actions) and any(
        _matches(each, arn) for each in resources
    )


def _matches(pattern: str, text: str) -> bool:
    """With the wildcards of policies."""
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL | re.IGNORECASE) is not None


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
