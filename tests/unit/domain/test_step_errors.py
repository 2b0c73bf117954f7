"""Errors as Step Functions hands them to a catcher, read back."""

import ast
import json

import pytest

from tests.support.template import REPOSITORY
from vsl.domain import errors
from vsl.domain.errors import (
    InternalError,
    Overloaded,
    UnknownModel,
    VslError,
    error_classes,
    parse_error,
    request_error,
)
from vsl.runtime.handler import problem

DOCUMENT = json.dumps({"code": "UnknownModel", "message": "No such model.", "details": {}})


@pytest.mark.parametrize("read", [parse_error, request_error])
def test_an_error_of_ours_comes_back_whole(read: type) -> None:
    cause = json.dumps({"errorType": "UnknownModel", "errorMessage": DOCUMENT})
    for error in (read("UnknownModel", cause), read("States.TaskFailed", DOCUMENT)):
        assert isinstance(error, UnknownModel)
        assert error.message == "No such model."


@pytest.mark.parametrize(
    ("name", "at_the_api", "in_a_job"),
    [
        ("Sandbox.Timedout", "Overloaded", "InternalError"),
        ("States.Timeout", "Overloaded", "InternalError"),
        ("Lambda.TooManyRequestsException", "Overloaded", "InternalError"),
        ("Lambda.Unknown", "Overloaded", "InternalError"),
        ("Lambda.ServiceException", "StoreUnavailable", "InternalError"),
        ("StepFunctions.ThrottlingException", "StoreUnavailable", "StoreUnavailable"),
        ("Runtime.ExitError", "InternalError", "InternalError"),
        ("KeyError", "InternalError", "InternalError"),
        ("States.DataLimitExceeded", "InternalError", "InternalError"),
    ],
)
def test_who_waits_at_the_api_may_ask_again(name: str, at_the_api: str, in_a_job: str) -> None:
    cause = json.dumps({"errorMessage": "Task timed out after 8.00 seconds"})
    assert request_error(name, cause).code == at_the_api
    assert parse_error(name, cause).code == in_a_job


def test_no_room_is_told_with_503_and_when_to_come_back() -> None:
    error = request_error("Lambda.TooManyRequestsException", None)
    assert isinstance(error, Overloaded)
    answer = problem(error)
    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "5")
    assert json.loads(answer["body"])["code"] == "Overloaded"


class ElsewhereError(VslError):
    """What no document names and no state machine matches."""

    def __init__(self) -> None:
        super().__init__("elsewhere")


def test_the_errors_are_those_of_one_module() -> None:
    assert ElsewhereError.__name__ not in error_classes()
    assert {kind.__module__ for kind in error_classes().values()} == {errors.__name__}
    assert isinstance(parse_error("ElsewhereError", None), InternalError)


def test_the_product_defines_no_error_anywhere_else() -> None:
    names = {*error_classes(), VslError.__name__}
    found = {
        str(path.relative_to(REPOSITORY))
        for folder in ("layers/core/vsl", "functions", "devstack")
        for path in (REPOSITORY / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        if names & {getattr(base, "id", getattr(base, "attr", "")) for base in node.bases}
    }
    assert found == {"layers/core/vsl/domain/errors.py"}
