from typing import Any

import pytest

from devstack.hosting.errors import as_lambda_names

REPORTED = {"errorType": "Runtime.ImportModuleError", "errorMessage": "it's not there"}


def failed(message: str, kind: str = "Runtime.Unknown") -> dict[str, Any]:
    return {"body": {"errorMessage": message, "errorType": kind}, "error": True, "log": ""}


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("bootstrap exited during init with code -9", "Runtime.ExitError"),
        ("something the engine says one day", "Runtime.ExitError"),
        ("bootstrap did not reach the Runtime API within 2s: a line", "Sandbox.Timedout"),
    ],
)
def test_a_failed_start_is_a_death_or_a_timeout(message: str, name: str) -> None:
    assert as_lambda_names(failed(message)) == failed(message, name)


def test_what_the_runtime_told_is_the_answer() -> None:
    answer = failed(f"init error: {REPORTED}")
    assert as_lambda_names(answer) == {**answer, "body": REPORTED}


@pytest.mark.parametrize("told", ["None", "{}", "no Python", "{'a': ", "['errorType']"])
def test_what_says_nothing_stays_unknown(told: str) -> None:
    answer = failed(f"init error: {told}")
    assert as_lambda_names(answer) == answer


@pytest.mark.parametrize(
    "answer",
    [
        {"body": {"errorType": "Runtime.Unknown"}},
        {"body": "Runtime.Unknown", "error": True},
        failed("killed", "Runtime.ExitError"),
        failed("slow down", "ProviderThrottled"),
    ],
)
def test_every_other_answer_is_left_alone(answer: dict[str, Any]) -> None:
    assert as_lambda_names(answer) == answer
