"""Writes the document that GET /openapi.json answers: api/openapi.yaml without what is AWS's alone.

`sam build` packs a function's own folder and nothing else, so the document stands there as a second
copy; a test compares the two. JSON, because reading YAML would cost a cold start its first second.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from vsl.domain.api.request import MAX_MODEL_ID

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "api" / "openapi.yaml"
PUBLISHED = ROOT / "functions" / "get_openapi" / "openapi.json"
# What samples and forms begin with; the import of API Gateway knows no examples.
PROMPT = {"prompt": "a lighthouse at dusk"}
MODEL = "flux-schnell"
BODIES = {
    "generateMedia": {"modelId": MODEL, "parameters": PROMPT},
    "estimateJob": {"parameters": PROMPT},
    "createUpload": {"contentType": "image/png"},
    "setBudget": {"period": "day", "limit": "1.50"},
    "grantCredits": {"userId": "me", "amount": "12.50"},
}
# Filled in by the function: which of the schemes it is, the deployment knows.
CALLER = {"type": "apiKey", "name": "x-api-key", "in": "header"}


def published(source: Mapping[str, Any]) -> dict[str, Any]:
    """The document for readers: no extensions of API Gateway, no preflights, no CloudFormation."""
    document: dict[str, Any] = _without_extensions(source)
    for item in document["paths"].values():
        item.pop("options", None)
        for operation in item.values():
            # Open to all, or asking who calls, as far as the deployment asks at all.
            operation["security"] = [{"Caller": []}] if operation["security"] else []
            _with_examples(operation)
    _tell_what_a_function_checks(document["components"]["schemas"])
    document["components"]["securitySchemes"] = {"Caller": CALLER}
    return document


def _with_examples(operation: dict[str, Any]) -> None:
    if operation["operationId"] in BODIES:
        (media,) = operation["requestBody"]["content"].values()
        media["example"] = BODIES[operation["operationId"]]
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "modelId":
            parameter["example"] = MODEL


def _tell_what_a_function_checks(schemas: dict[str, Any]) -> None:
    """POST /generate-media is deployed with the shape alone: a function gives better messages about
    the content (domain/api/request.py). Readers of the document see the whole schema."""
    request, upload = schemas["GenerateRequest"], schemas["UploadRequest"]
    request["additionalProperties"] = False
    request["properties"]["userId"]["pattern"] = upload["properties"]["userId"]["pattern"]
    request["properties"]["modelId"] |= {"minLength": 1, "maxLength": MAX_MODEL_ID}


def text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    source = yaml.safe_load(SOURCE.read_text())
    PUBLISHED.write_text(text(published(source)))


def _without_extensions(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: _without_extensions(inner)
            for name, inner in value.items()
            if not str(name).startswith("x-amazon-")
        }
    return [_without_extensions(inner) for inner in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main()
