"""Every error the product can end in, each a class whose name is its stable code.

The name of a class is what the state machines match in `Retry` and `Catch`, what a failed job
carries in `error.code`, and what an HTTP problem carries in `code`. A test keeps the state
machines and this module equal. `VslError.document()` travels as JSON in the exception's text, so
that the details survive the trip through Step Functions' `Cause`.
"""

import json
from collections.abc import Iterable, Mapping
from typing import ClassVar, Final, Self, cast

# What a problem's `type` begins with, before the code: a page beside the API's own description, relative to
# the API's address. API Gateway's answers and the last word of the API workflow say the same.
PROBLEM_TYPES: Final = "/docs/problems.html#"


class VslError(Exception):
    """Base of all; `status` is the HTTP answer when it reaches a client.

    `details` are told to the client, but for `headers`, which become the answer's.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, object] = {k: v for k, v in details.items() if v is not None}

    @property
    def code(self) -> str:
        return type(self).__name__

    @property
    def type(self) -> str:
        """The address that explains the code."""
        return f"{PROBLEM_TYPES}{self.code}"

    @property
    def retry_after(self) -> int | None:
        """Whole seconds after which to try again; five for an unavailable service that names none."""
        told = self.details.get("retryAfter")
        if told is None and self.status != 503:
            return None
        return max(1, round(float(str(told or 5))))

    @property
    def provider_error(self) -> str | None:
        """The provider's own message."""
        told = self.details.get("providerError")
        return told if isinstance(told, str) else None

    def document(self) -> dict[str, object]:
        """The error as data: `code`, `message` and, where there are any, `details`."""
        document: dict[str, object] = {"code": self.code, "message": self.message}
        if self.details:
            document["details"] = self.details
        return document

    def __str__(self) -> str:
        return json.dumps(self.document(), default=str, ensure_ascii=False)


# --- the request -----------------------------------------------------------------------------


class InvalidRequest(VslError):
    """The request's envelope is wrong: `details.fields` lists each fault."""

    status = 400
    title = "The request is not valid"

    @classmethod
    def of(cls, faults: Iterable[tuple[str, str]]) -> Self:
        """By the field, and what is wrong with it: `limit`, `must be a number`."""
        fields = [{"field": name, "message": message} for name, message in faults]
        text = "; ".join(f"{fault['field']} {fault['message']}" for fault in fields)
        return cls(f"{text}.", fields=fields)

    @property
    def faults(self) -> list[tuple[str, str]]:
        """As `of` takes them."""
        fields = cast("list[dict[str, str]]", self.details.get("fields", []))
        return [(fault["field"], fault["message"]) for fault in fields]


class InvalidParameters(InvalidRequest):
    """The model's parameters are wrong: `details.fields` lists each fault."""

    title = "The model's parameters are not valid"


class UnknownModel(VslError):
    status = 404
    title = "There is no such model"


class FileNotFound(VslError):
    """A file of the console's."""

    status = 404
    title = "There is no such file"


class Forbidden(VslError):
    """The caller is known and asks for what belongs to another user."""

    status = 403
    title = "This is not yours"


class KeyNotFound(VslError):
    """A key of the API that was never made, or ended so long ago that it is forgotten."""

    status = 404
    title = "There is no such key"


class KeyAlreadyCreated(VslError):
    """The Idempotency-Key made a key of the API before, which was shown then and is not kept."""

    status = 409
    title = "The key was created before"


class JobNotFound(VslError):
    status = 404
    title = "There is no such job"


class JobDeleted(VslError):
    """The job was there once: nothing of it comes back."""

    status = 410
    title = "The job was deleted"


class JobNotEnded(VslError):
    status = 409
    title = "The job has not ended"


class NoCallbackUrl(VslError):
    """A replay of a callback that was never wished for."""

    status = 409
    title = "The job has no callback"


class InvalidSignature(VslError):
    status = 401
    title = "The signature is missing or wrong"


class IdempotencyKeyReused(VslError):
    """The same Idempotency-Key came with another body."""

    status = 422
    title = "This Idempotency-Key belongs to another request"


class RequestInProgress(VslError):
    """The same Idempotency-Key is being worked on at this very moment: try again."""

    status = 409
    title = "The first request with this Idempotency-Key is still being accepted"


class RateLimitExceeded(VslError):
    """`details.retryAfter` says in how many seconds the next job would be admitted."""

    status = 429
    title = "Too many jobs in the last hour"


class TooManyJobs(VslError):
    """So many jobs of the user run already; `details.retryAfter` is a guess in seconds."""

    status = 429
    title = "Too many jobs at once"


class QueueFull(VslError):
    """So many jobs wait for the provider already; `details.retryAfter` is how long the last of them will."""

    status = 429
    title = "Too many jobs wait for the provider"


class BudgetExceeded(VslError):
    """No room for the job in a budget of its user or of the stage: `details` name it and when it begins
    anew; of the user's own also its limit and what is spent and held of it."""

    status = 402
    title = "The budget is used up"


class ModelFrozen(VslError):
    """A prediction of the model cost far more than it should have; an operator has to look first."""

    status = 503
    title = "The model takes no jobs at the moment"


class UnpricedModel(VslError):
    """The model has no price in the catalogue, and its user may run only models that have one."""

    status = 403
    title = "The model has no price"


class PayloadTooLarge(VslError):
    """The request's body is larger than a job may be."""

    status = 413
    title = "The request is too large"


class Overloaded(VslError):
    """No function had room or time for the request; nothing is broken, and repeating it is safe."""

    status = 503
    title = "Too many requests at the moment"


# --- our own stores and settings -------------------------------------------------------------


class StoreUnavailable(VslError):
    """A store of ours (PostgreSQL, DynamoDB, S3, Step Functions) did not answer; retrying is safe."""

    status = 503
    title = "Temporarily unavailable"


class ConfigurationError(VslError):
    """The deployment lacks something; the message names what and where to set it."""


class InternalError(VslError):
    """An unexpected exception; the log has the details."""


# --- submitting to the provider --------------------------------------------------------------


class ProviderThrottled(VslError):
    """429: proof that nothing was accepted. `details.retryAfter` in seconds."""

    status = 503
    title = "The provider is busy"


class ProviderUnavailable(VslError):
    """The provider could not be reached, or failed on a request that changes nothing."""

    status = 503
    title = "The provider cannot be reached"


class SubmissionUncertain(VslError):
    """It is not known whether the provider accepted: look before paying again."""


class SlotUnavailable(VslError):
    """Not an end: the provider takes no more for now, and the job waits for its turn.

    `details.retryAfter` in seconds where the provider said so; `details.spent` where the job has used a slot
    already, and needs another.
    """


class QueueTimedOut(VslError):
    """The job's turn did not come within the longest wait that is allowed."""


class ResubmitPrediction(VslError):
    """Not an end: the wait is over without a result, and the job may submit once more."""


class ProviderRejected(VslError):
    """The provider refused the request for good: 400, 404 or 422."""


class ProviderAuthenticationFailed(VslError):
    """401 or 403: the API token is wrong."""


class ProviderInsufficientCredit(VslError):
    """402: the provider's account has run dry."""


# --- how a prediction ends -------------------------------------------------------------------


class PredictionFailed(VslError):
    """The model failed; the provider does not charge for it."""


class PredictionInterrupted(PredictionFailed):
    """A fault of the provider's platform; the same input may well succeed."""


class ContentFlagged(PredictionFailed):
    """The safety checker refused the input or all of the output."""


class PredictionCanceled(VslError):
    """Canceled or aborted at the provider."""


class PredictionTimedOut(VslError):
    """Not finished within the model's time limit; canceled at the provider."""


# --- fetching and storing the output ---------------------------------------------------------


class OutputMissing(VslError):
    """The prediction succeeded and brought no file."""


class OutputExpired(VslError):
    """The provider has already deleted the output (it keeps them for one hour)."""


class OutputInvalid(VslError):
    """The output has nothing in it, or is larger than the limit."""


class DownloadRefused(VslError):
    """The output's address is not one we download from."""


class DownloadFailed(VslError):
    """The download broke off; retrying is safe. `details.failures` counts the output's tries."""


class JobCanceled(VslError):
    """The user canceled the job."""


class ExecutionStopped(VslError):
    """The execution ended without recording the job's end: it timed out or was stopped by hand."""


class JobNotStarted(VslError):
    """The job was written down, and its execution could not be started."""


def error_classes() -> dict[str, type[VslError]]:
    """Every error of this module by its name; a subclass elsewhere is no error of the product."""
    return {
        name: kind
        for name, kind in globals().items()
        if isinstance(kind, type) and issubclass(kind, VslError) and kind is not VslError
    }


def parse_error(name: str, cause: str | None) -> VslError:
    """The error behind the `Error` and `Cause` that Step Functions hands to a catcher.

    Lambda wraps the exception as `{"errorType": …, "errorMessage": …}`, whose message is our JSON
    document; `SendTaskFailure` carries the document itself; a timeout has no document at all.
    """
    document = _error_document(cause)
    message = str(document.get("message") or cause or name)
    details = document.get("details")
    kind = error_classes().get(str(document.get("code") or name))
    if name.startswith("StepFunctions."):
        return StoreUnavailable("Step Functions did not answer.", service="Step Functions")
    if kind is None:
        return InternalError(f"The step failed with {name}.", error=name)
    return kind(message, **(dict(details) if isinstance(details, Mapping) else {}))


# What Lambda and Step Functions report of a function for which there was no room or no time. The
# stores' own time limits end before a function's (StoreUnavailable), so a function that runs out
# of time had no processor: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
_NO_ROOM = {
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "States.Timeout",
}


def request_error(name: str, cause: str | None) -> VslError:
    """As `parse_error`, where a client waits who may ask again: no time or no room is no fault."""
    error = parse_error(name, cause)
    if isinstance(error, InternalError) and name in _NO_ROOM:
        return Overloaded("The request was not taken in time; try again.")
    if isinstance(error, InternalError) and name.startswith("Lambda."):
        return StoreUnavailable("Lambda did not answer.", service="Lambda")
    return error


def _error_document(cause: str | None) -> dict[str, object]:
    try:
        parsed = json.loads(cause or "")
        if isinstance(parsed, dict) and "errorMessage" in parsed:
            parsed = json.loads(parsed["errorMessage"])
    except (ValueError, TypeError):
        return {}
    return parsed if isinstance(parsed, dict) else {}
