"""The published API document for this deployment: its address, how its clients authenticate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

SCHEMES: Mapping[str, Mapping[str, str]] = {
    "API_KEY": {
        "type": "apiKey",
        "name": "x-api-key",
        "in": "header",
        "description": "The key of a trusted back end.",
    },
    "KEYS": {
        "type": "http",
        "scheme": "bearer",
        "description": (
            "A key of this API, as `Authorization: Bearer` or as `x-api-key`."
            " A user's key names its user; with an operator's key the request names one."
        ),
    },
    "COGNITO": {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "description": "An identity token of the user pool, made for an app client that this API knows.",
    },
    "IAM": {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "description": "A signature of AWS (SigV4) for the service execute-api.",
    },
}

# A token, and a user's key, names the user; other clients name the user in the request.
_NAMED_BY_CREDENTIAL = {"COGNITO", "KEYS"}
_ABOUT_A_USER = {"getBudget", "getWebhookSecret"}
_OF_A_USER = {"GenerateRequest", "UploadRequest"}
_USER = "user-1"


@dataclass(frozen=True, slots=True)
class DescribeApi:
    """`document` is the published one; `api_auth` NONE (the local stack) asks for no credentials."""

    document: Mapping[str, Any]
    api_auth: str

    def __call__(self, url: str) -> dict[str, Any]:
        """`url` is the API's own."""
        described = {**self.document, "servers": [{"url": url}]}
        if self.api_auth not in _NAMED_BY_CREDENTIAL:
            described = _naming_the_user(described)
        components = described["components"]
        if self.api_auth in SCHEMES:
            schemes = {"Caller": SCHEMES[self.api_auth]}
            return described | {"components": {**components, "securitySchemes": schemes}}
        described["components"] = {
            name: part for name, part in components.items() if name != "securitySchemes"
        }
        return _with_operations(described, lambda operation: {**operation, "security": []})


def _naming_the_user(document: Mapping[str, Any]) -> dict[str, Any]:
    """With `userId` required wherever no token names the user."""
    schemas = {
        name: {**schema, "required": ["userId", *schema["required"]]}
        if name in _OF_A_USER
        else schema
        for name, schema in document["components"]["schemas"].items()
    }
    named = {**document, "components": {**document["components"], "schemas": schemas}}
    return _with_operations(named, _require_user)


def _require_user(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    if operation["operationId"] in _ABOUT_A_USER:
        parameters = [
            {**each, "required": True, "example": _USER} if each["name"] == "userId" else each
            for each in operation["parameters"]
        ]
        return {**operation, "parameters": parameters}
    content = operation.get("requestBody", {}).get("content", {})
    if not any(_is_of_a_user(media) for media in content.values()):
        return operation
    named = {
        kind: {**media, "example": {"userId": _USER, **media["example"]}}
        for kind, media in content.items()
    }
    return {**operation, "requestBody": {**operation["requestBody"], "content": named}}


def _is_of_a_user(media: Mapping[str, Any]) -> bool:
    return media["schema"].get("$ref", "").rpartition("/")[2] in _OF_A_USER


def _with_operations(
    document: Mapping[str, Any], change: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> dict[str, Any]:
    paths = {
        path: {verb: change(operation) for verb, operation in item.items()}
        for path, item in document["paths"].items()
    }
    return {**document, "paths": paths}
