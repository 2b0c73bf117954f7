"""The published API document, as it holds for this deployment: its address, its way to say who asks."""

from collections.abc import Callable, Mapping
from typing import Any

SCHEMES: Mapping[str, Mapping[str, str]] = {
    "API_KEY": {
        "type": "apiKey",
        "name": "x-api-key",
        "in": "header",
        "description": "The key of a trusted back end.",
    },
    "COGNITO": {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "description": "A token of the user pool.",
    },
    "IAM": {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "description": "A signature of AWS (SigV4) for the service execute-api.",
    },
}


# What a token's subject stands in for, and everybody else has to name.
_ABOUT_A_USER = {"listJobs", "getWebhookSecret"}
_OF_A_USER = {"GenerateRequest", "UploadRequest"}


def describe_api(document: Mapping[str, Any], url: str, api_auth: str) -> dict[str, Any]:
    """`url` is the API's own; with NONE (the local stack) no operation asks for anything."""
    described = {**document, "servers": [{"url": url}]}
    if api_auth != "COGNITO":
        described = _naming_the_user(described)
    if api_auth in SCHEMES:
        schemes = {"Caller": SCHEMES[api_auth]}
        return described | {"components": {**described["components"], "securitySchemes": schemes}}
    described["components"] = {
        name: part for name, part in described["components"].items() if name != "securitySchemes"
    }
    return _with_operations(described, lambda operation: {**operation, "security": []})


def _naming_the_user(document: Mapping[str, Any]) -> dict[str, Any]:
    """With `userId` required wherever no token says who it is."""
    schemas = {
        name: {**schema, "required": ["userId", *schema["required"]]}
        if name in _OF_A_USER
        else schema
        for name, schema in document["components"]["schemas"].items()
    }
    named = {**document, "components": {**document["components"], "schemas": schemas}}
    return _with_operations(named, _require_user)


def _require_user(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    if operation["operationId"] not in _ABOUT_A_USER:
        return operation
    parameters = [
        {**each, "required": each["required"] or each["name"] == "userId"}
        for each in operation["parameters"]
    ]
    return {**operation, "parameters": parameters}


def _with_operations(
    document: Mapping[str, Any], change: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> dict[str, Any]:
    paths = {
        path: {verb: change(operation) for verb, operation in item.items()}
        for path, item in document["paths"].items()
    }
    return {**document, "paths": paths}
