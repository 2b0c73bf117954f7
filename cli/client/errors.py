"""What a command ends with: exit codes, and errors that say what to do next."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """The exit codes of every command here (docs/command-line.md lists them)."""

    OK = 0
    FAILED = 1
    REFUSED = 2
    NOT_FOUND = 3
    NOT_ALLOWED = 4
    LIMITED = 5
    UNAVAILABLE = 6
    STILL_RUNNING = 7
    INTERRUPTED = 130


class CommandError(Exception):
    """`code` is stable, `hint` says what to do next; `details` go into the JSON alone."""

    def __init__(
        self, code: str, message: str, exit_code: Exit, hint: str = "", **details: Any
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.exit_code = exit_code
        self.hint = hint
        self.details = details

    def document(self) -> dict[str, Any]:
        error = {"code": self.code, "message": self.message, **self.details}
        if self.hint:
            error["hint"] = self.hint
        return {"error": error, "exitCode": int(self.exit_code)}


def file_error(error: OSError) -> CommandError:
    """Of a file or folder that the system did not let us have; `filename` must be known."""
    message = f"{error.filename}: {error.strerror}."
    hint = "Name another file or folder, or change who may read and write it."
    return CommandError("FileError", message, Exit.FAILED, hint, path=str(error.filename))


# The API's codes (docs/api.md). What is not listed goes by its HTTP status.
_HINTS = {
    "BudgetExceeded": (
        "`vsl budget` shows what is left; an operator raises it by `vsl budget set` or, where it is "
        "credit, adds some by `vsl credits add`."
    ),
    "UnpricedModel": (
        "`vsl models` tells which have a price; an operator gives it one, or lets you run it without"
        " (UnpricedModels, or unpriced_models in user_limits)."
    ),
    "ModelFrozen": "`vsl models` lists others; an operator has to look at this one first.",
    "InvalidParameters": "`vsl models MODEL` lists what a model takes.",
    "UnknownModel": "`vsl models` lists them.",
    "JobNotFound": "`vsl jobs` lists yours; --user looks for another user's.",
    "JobNotEnded": "`vsl cancel JOB` stops it first.",
    "Forbidden": (
        "Either the key is missing or wrong (VSL_API_KEY, VSL_TOKEN, --stage), the job is another "
        "user's, or what is deployed there is older than this command."
    ),
    "Unauthorized": "Get a new token or key and put it into VSL_TOKEN or VSL_API_KEY.",
    "KeyNotFound": "`vsl keys list` lists those there are.",
    "KeyAlreadyCreated": "`vsl keys revoke ID` takes it back; then make another.",
    "IdempotencyKeyReused": "Take a new --key for a new request.",
    "JobDeleted": "Take a new --key for a new job.",
    "RequestTooLarge": "Give large files by their https address.",
    "InternalError": "It is our fault: `vsl logs` or `vsl doctor` may tell the operator why.",
    "ConfigurationError": "The operator has to set something: `vsl logs` says what.",
    "Overloaded": "Try again in a few seconds.",
    "StoreUnavailable": "Try again; `vsl doctor` tells the operator what is away.",
}
_EXITS = {
    402: Exit.LIMITED,
    401: Exit.NOT_ALLOWED,
    403: Exit.NOT_ALLOWED,
    404: Exit.NOT_FOUND,
    410: Exit.NOT_FOUND,
    429: Exit.LIMITED,
}


_MONEY = ("budget", "spent", "held", "left", "wouldHold", "resetsAt", "modelId")


def refusal(status: int, problem: Mapping[str, Any]) -> CommandError:
    """The error behind an answer of the API that is not a success (RFC 9457 where it is ours)."""
    code = str(problem.get("code") or f"Http{status}")
    message = str(problem.get("detail") or problem.get("title") or f"The API answered {status}.")
    exit_code = _EXITS.get(status, Exit.UNAVAILABLE if status >= 500 else Exit.REFUSED)
    if code in {"UnknownModel", "ModelFrozen"}:
        exit_code = Exit.REFUSED
    hint = _HINTS.get(code, "")
    if "retryAfter" in problem:
        hint = f"Try again in {problem['retryAfter']} seconds."
    known = ("retryAfter", "limit", "fields", "requestId", "jobId", "keyId", *_MONEY)
    return CommandError(
        code,
        message,
        exit_code,
        hint,
        status=status,
        **{name: problem[name] for name in known if name in problem},
    )
