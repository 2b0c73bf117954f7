"""Whether an answer is one that the published API document describes."""

import json
from functools import cache
from typing import Any

from openapi_schema_validator import OAS30Validator

from devstack.publish import PUBLISHED


@cache
def _document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(PUBLISHED.read_text())
    return loaded


def check_answer(resource: str, method: str, status: int, content_type: str, body: bytes) -> None:
    """Raises AssertionError for a status, a type or a body that the document does not know."""
    responses = _document()["paths"][resource][method.lower()]["responses"]
    assert str(status) in responses, (
        f"{method} {resource} answers {status}, which is not documented"
    )
    response = responses[str(status)]
    if "$ref" in response:
        response = _document()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    content = response.get("content", {})
    if not content:
        assert not body
        return
    kind = content_type.partition(";")[0]
    assert kind in content, f"{method} {resource} answers {status} as {content_type}"
    schema = content[kind].get("schema", {})
    if kind.endswith("json"):
        whole = {"allOf": [schema], "components": _document()["components"]}
        errors = [error.message for error in OAS30Validator(whole).iter_errors(json.loads(body))]
        assert not errors, f"{method} {resource} {status}: {errors}"
