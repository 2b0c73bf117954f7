"""Failures of a worker's start, named as Lambda names them.

The engine calls each of them `Runtime.Unknown`, so a process that died could not be told from code
that cannot be imported: the one is worth another try, the other is not.
"""

import ast
from contextlib import suppress
from typing import Any

_UNNAMED = "Runtime.Unknown"
_REPORTED = "init error: "
"""Before what the runtime told of its own failure, as Python writes it."""
_LATE = "bootstrap did not reach the Runtime API within"


def as_lambda_names(answer: dict[str, Any]) -> dict[str, Any]:
    """What the engine answers for a call, with the error that Lambda would answer."""
    error = answer.get("body")
    if not answer.get("error") or not isinstance(error, dict):
        return answer
    if error.get("errorType") != _UNNAMED:
        return answer
    message = str(error.get("errorMessage"))
    if message.startswith(_REPORTED):
        return {**answer, "body": _reported(message) or error}
    kind = "Sandbox.Timedout" if message.startswith(_LATE) else "Runtime.ExitError"
    return {**answer, "body": {**error, "errorType": kind}}


def _reported(message: str) -> dict[str, Any] | None:
    with suppress(ValueError, SyntaxError):
        told = ast.literal_eval(message.removeprefix(_REPORTED))
        if isinstance(told, dict) and "errorType" in told:
            return told
    return None
