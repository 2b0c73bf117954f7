"""Every payload in events/ through its function and AWS's own runtime client: what `sam local invoke`
does the first time somebody tries it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.machines import camel
from tests.support.stack import Stack
from tests.support.template import REPOSITORY
from vsl.domain.errors import error_classes

pytestmark = pytest.mark.e2e

EVENTS = REPOSITORY / "events"
FILES = sorted(
    path
    for path in EVENTS.glob("*/*.json")
    if (REPOSITORY / "functions" / path.stem / "app.py").exists()
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_function_takes_its_event(stack: Stack, path: Path) -> None:
    """The payloads name a job and files of their own, so a named error is an answer too."""
    answer, failed = invoke(stack, f"{camel(path.stem)}Function", json.loads(path.read_text()))
    if failed:
        # An authorizer's refusal is a word of API Gateway's.
        named = {"Unauthorized"} if path.parent.name == "authorizer" else error_classes()
        assert answer["errorType"] in named, answer
    else:
        assert isinstance(answer, dict)
        assert answer.get("statusCode", 200) < 500, answer


def test_every_function_was_called() -> None:
    functions = {path.parent.name for path in (REPOSITORY / "functions").glob("*/app.py")}
    assert {path.stem for path in FILES} == functions


def invoke(stack: Stack, function: str, event: object) -> tuple[dict[str, Any], bool]:
    answer = stack.client("lambda").invoke(
        FunctionName=stack.document["functions"][function], Payload=json.dumps(event).encode()
    )
    return json.loads(answer["Payload"].read()), "FunctionError" in answer
