"""Errors as Step Functions hands them to a catcher, read back."""

import json

import pytest

from vsl.domain.errors import StoreUnavailable, UnknownModel, door_error, parse_error

DOCUMENT = json.dumps({"code": "UnknownModel", "message": "No such model.", "details": {}})


@pytest.mark.parametrize("read", [parse_error, door_error])
def test_an_error_of_ours_comes_back_whole(read: type) -> None:
    cause = json.dumps({"errorType": "UnknownModel", "errorMessage": DOCUMENT})
    for error in (read("UnknownModel", cause), read("States.TaskFailed", DOCUMENT)):
        assert isinstance(error, UnknownModel)
        assert error.message == "No such model."


@pytest.mark.parametrize(
    ("name", "at_the_door", "in_a_job"),
    [
        ("Sandbox.Timedout", "StoreUnavailable", "InternalError"),
        ("States.Timeout", "StoreUnavailable", "InternalError"),
        ("Lambda.TooManyRequestsException", "StoreUnavailable", "InternalError"),
        ("StepFunctions.ThrottlingException", "StoreUnavailable", "StoreUnavailable"),
        ("Runtime.ExitError", "InternalError", "InternalError"),
        ("KeyError", "InternalError", "InternalError"),
        ("States.DataLimitExceeded", "InternalError", "InternalError"),
    ],
)
def test_who_waits_at_the_door_may_ask_again(name: str, at_the_door: str, in_a_job: str) -> None:
    cause = json.dumps({"errorMessage": "Task timed out after 8.00 seconds"})
    assert door_error(name, cause).code == at_the_door
    assert parse_error(name, cause).code == in_a_job


def test_no_room_is_told_with_503() -> None:
    error = door_error("Lambda.TooManyRequestsException", None)
    assert isinstance(error, StoreUnavailable)
    assert error.status == 503
