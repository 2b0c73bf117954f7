"""Every error by which Lambda says "not now" is retried, in every state, for longer than it lasts.

A function in a VPC that was idle for weeks is inactive: its first call fails, and so do others for up
to a minute and a half. A step that does not come back by then fails a job that may be paid for.
"""

from typing import Any

import botocore.session
import pytest

from tests.support.machines import MACHINE_NAMES
from tests.unit.statemachines.graph import function_tasks

PATIENCE_SECONDS = 180
INACTIVE_SECONDS = 90
# Errors of Lambda's Invoke that another try cannot help, or that need what no function here has.
PERMANENT = {
    "CodeArtifactUserFailedException",
    "DurableExecutionAlreadyStartedException",
    "EC2AccessDeniedException",
    "InvalidParameterValueException",
    "InvalidRequestContentException",
    "InvalidRuntimeException",
    "InvalidSecurityGroupIDException",
    "InvalidSubnetIDException",
    "InvalidZipFileException",
    "ModeNotSupportedException",
    "NoPublishedVersionException",
    "RecursiveInvocationException",
    "RequestTooLargeException",
    "ResourceNotFoundException",
    "SerializedRequestEntityTooLargeException",
    "ServiceQuotaExceededException",
    "UnsupportedMediaTypeException",
}
NOT_USED = ("EFS", "S3Files", "KMS")
# What Step Functions adds: the call did not come to an answer.
CLIENT = {
    "AWSLambdaException",
    "LambdaException",
    "SdkClientException",
    "ClientExecutionTimeoutException",
}
# The process ended. Which of the names stands for too little memory differs from log to log.
CRASHED = {"Runtime.ExitError", "Runtime.OutOfMemory", "Runtime.Unknown", "Lambda.Unknown"}
# Step Functions names errors as Java's SDK does, whose second version writes abbreviations as words.
ABBREVIATIONS = {"ENI": "Eni", "EC2": "Ec2", "IP": "Ip"}


def of_invoke() -> set[str]:
    model = botocore.session.get_session().get_service_model("lambda")
    return {shape.name for shape in model.operation_model("Invoke").error_shapes}


def spellings(name: str) -> set[str]:
    other = name
    for written, word in ABBREVIATIONS.items():
        other = other.replace(written, word)
    return {f"Lambda.{name}", f"Lambda.{other}"}


def transient() -> set[str]:
    temporary = {n for n in of_invoke() - PERMANENT if not n.startswith(NOT_USED)} | CLIENT
    return set().union(*(spellings(name) for name in temporary))


def retriers(state: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [each for each in state["Retry"] if name in each["ErrorEquals"]]


STATES = [(machine, name) for machine in MACHINE_NAMES for name in function_tasks(machine)]


def test_this_file_knows_every_error_of_invoke() -> None:
    assert of_invoke() >= PERMANENT
    assert {"Lambda.ResourceNotReadyException", "Lambda.ENINotReadyException"} <= transient()
    assert {"Lambda.Ec2ThrottledException", "Lambda.EC2ThrottledException"} <= transient()
    assert len(transient()) > 20


@pytest.mark.parametrize(("machine", "name"), STATES)
def test_a_state_retries_all_of_them_and_no_others(machine: str, name: str) -> None:
    state = function_tasks(machine)[name]
    named = {
        error
        for retrier in state["Retry"]
        for error in retrier["ErrorEquals"]
        if error.startswith(("Lambda.", "Runtime."))
    }
    assert named == transient() | CRASHED


@pytest.mark.parametrize("name", function_tasks("media_job"))
@pytest.mark.parametrize("error", sorted(transient()))
def test_a_job_comes_back_for_three_minutes(name: str, error: str) -> None:
    """On average, for a delay is drawn between nothing and its most."""
    (retrier,) = retriers(function_tasks("media_job")[name], error)
    delays = [
        min(retrier["IntervalSeconds"] * retrier["BackoffRate"] ** n, retrier["MaxDelaySeconds"])
        for n in range(retrier["MaxAttempts"])
    ]
    assert sum(delays) / 2 >= PATIENCE_SECONDS > INACTIVE_SECONDS


def test_a_process_that_dies_is_tried_again_but_not_for_as_long() -> None:
    """What dies of its own input dies each time."""
    for state in function_tasks("media_job").values():
        for error in CRASHED:
            (retrier,) = retriers(state, error)
            assert set(retrier["ErrorEquals"]) == CRASHED
            assert retrier["MaxAttempts"] == 5
