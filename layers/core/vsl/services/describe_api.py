"""The published API document, as it holds for this deployment: its address, its way to say who asks."""

from collections.abc import Mapping
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


def describe_api(document: Mapping[str, Any], url: str, api_auth: str) -> dict[str, Any]:
    """`url` is the API's own; with NONE (the local stack) no operation asks for anything."""
    described = {**document, "servers": [{"url": url}]}
    if api_auth in SCHEMES:
        schemes = {"Caller": SCHEMES[api_auth]}
        return described | {"components": {**document["components"], "securitySchemes": schemes}}
    described["components"] = {
        name: part for name, part in document["components"].items() if name != "securitySchemes"
    }
    described["paths"] = {
        path: {verb: {**operation, "security": []} for verb, operation in item.items()}
        for path, item in document["paths"].items()
    }
    return described
