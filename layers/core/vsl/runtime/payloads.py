"""What each step of the state machines is called with, and what it returns.

The machines build the first and pick from the second by JSONPath; a test follows every path through both
machines and these types (tests/unit/statemachines/test_payloads.py). What stands in an input as
NotRequired is not sent by each machine, or not by one of the version before.
"""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from vsl.domain.jobs.idempotency import KeyDocument
from vsl.domain.jobs.job import AssetDocument, JobDocument
from vsl.domain.jobs.place import PlaceDocument
from vsl.domain.predictions.prediction import OutcomeDocument
from vsl.runtime.handler import Response


class Execution(TypedDict):
    """Of the context object: the execution's ARN, its name and when it started (ISO 8601)."""

    id: str
    name: str
    startTime: str


class ValidateRequestInput(TypedDict):
    input: Mapping[str, Any]
    execution: Execution
    bindsKeys: NotRequired[bool]


class ValidateRequestOutput(TypedDict):
    """`wait` in seconds, 0 for a client that does not wait."""

    job: JobDocument
    key: KeyDocument | None
    created: bool
    started: bool
    answer: Response
    wait: int


class CheckRateLimitInput(TypedDict):
    job: JobDocument
    created: NotRequired[bool]
    validatedAt: NotRequired[str]
    executionArn: NotRequired[str]


class CheckRateLimitOutput(TypedDict):
    first: bool
    headers: Mapping[str, str]
    place: PlaceDocument
    validatedAt: str | None


class CreateJobInput(TypedDict):
    """`reserves`: the job is submitted next, and needs a slot at the provider."""

    job: JobDocument
    reserves: NotRequired[bool]
    key: NotRequired[KeyDocument | None]
    created: NotRequired[bool]
    validatedAt: NotRequired[str | None]
    admittedAt: NotRequired[str]
    executionArn: NotRequired[str]


class CreateJobOutput(TypedDict):
    jobId: str


class SubmitPredictionInput(TypedDict):
    job: JobDocument
    executionArn: NotRequired[str]


class SubmitPredictionOutput(TypedDict):
    replicateId: str
    attempt: int


class Refusal(TypedDict):
    """What a catcher is told: the error's name, and its document as text."""

    Error: str
    Cause: str


class AwaitSlotInput(TypedDict):
    jobId: str
    taskToken: str
    refused: Refusal
    job: NotRequired[JobDocument]
    executionArn: NotRequired[str]


class AwaitSlotOutput(TypedDict):
    """For the log: the wait ends when the task token is answered. `startsIn` in seconds."""

    granted: bool
    position: int
    startsIn: float


class AwaitPredictionInput(TypedDict):
    jobId: str
    taskToken: str
    job: NotRequired[JobDocument]
    executionArn: NotRequired[str]


class AwaitPredictionOutput(TypedDict):
    """For the log: the state's result is the outcome that the task token is answered with."""

    attempt: int
    tokenCompleted: bool


class ResolveTimeoutInput(TypedDict):
    jobId: str
    job: NotRequired[JobDocument]
    executionArn: NotRequired[str]


class ResolveTimeoutOutput(OutcomeDocument):
    attempt: int


class StoreMediaInput(TypedDict):
    job: JobDocument
    outcome: OutcomeDocument
    executionArn: NotRequired[str]


class StoreMediaOutput(TypedDict):
    assets: list[AssetDocument]


class FinalizeJobInput(TypedDict):
    job: JobDocument
    outcome: OutcomeDocument
    media: StoreMediaOutput
    executionArn: NotRequired[str]


class FinalizeJobOutput(TypedDict):
    status: str


class RecordFailureInput(TypedDict):
    """`input` is the machine's whole document: how far it has grown, the failed state decides."""

    input: Mapping[str, Any]
    execution: Execution


class RecordFailureOutput(TypedDict):
    error: str
    cause: str


class RejectRequestInput(TypedDict):
    input: Mapping[str, Any]
    executionArn: NotRequired[str]


class WaitForJobInput(TypedDict):
    job: JobDocument
    answer: Response
    wait: int
    startedAt: str
    executionArn: NotRequired[str]
