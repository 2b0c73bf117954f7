"""Whether an answer is one that the published API document describes."""

import json
from functools import cache
from typing import Any

from jsonschema import Draft4Validator

from devstack.publish import PUBLISHED
from devstack.reference.document import PAGES


@cache
def _document() -> dict[str, Any]:
    loaded: dict[str, Any] = _plain(json.loads(PUBLISHED.read_text()))
    return loaded


def _plain(part: Any) -> Any:
    """As JSON Schema, with `nullable` meant of the whole: also beside allOf, as its readers take it."""
    if isinstance(part, list):
        return [_plain(each) for each in part]
    if not isinstance(part, dict):
        return part
    plain = {name: _plain(value) for name, value in part.items() if name != "nullable"}
    return {"anyOf": [{"enum": [None]}, plain]} if part.get("nullable") is True else plain


def check_answer(resource: str, method: str, status: int, content_type: str, body: bytes) -> None:
    """Raises AssertionError for a status, a type or a body that the document does not know. It says nothing
    of pages for people."""
    if resource.startswith(PAGES):
        return
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
        errors = [error.message for error in Draft4Validator(whole).iter_errors(json.loads(body))]
        assert not errors, f"{method} {resource} {status}: {errors}"
