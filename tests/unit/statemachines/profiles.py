"""The retry policies there are. A retrier in a state machine is one of these, to the letter."""

from typing import Any

# Two spellings of what is abbreviated: test_lambda_errors.py says why, and that none is missing.
_LAMBDA_FAULTS = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.LambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ResourceNotReadyException",
    "Lambda.ResourceConflictException",
    "Lambda.ENINotReadyException",
    "Lambda.EniNotReadyException",
    "Lambda.ENILimitReachedException",
    "Lambda.EniLimitReachedException",
    "Lambda.EC2ThrottledException",
    "Lambda.Ec2ThrottledException",
    "Lambda.EC2UnexpectedException",
    "Lambda.Ec2UnexpectedException",
    "Lambda.SubnetIPAddressLimitReachedException",
    "Lambda.SubnetIpAddressLimitReachedException",
    "Lambda.CodeArtifactUserPendingException",
    "Lambda.CodeArtifactUserDeletedException",
    "Lambda.SnapStartNotReadyException",
    "Lambda.SnapStartTimeoutException",
    "Lambda.SnapStartRegenerationFailureException",
    "Lambda.SnapStartException",
]
_CRASHES = ["Runtime.ExitError", "Runtime.OutOfMemory", "Runtime.Unknown", "Lambda.Unknown"]
_START_FAULTS = [
    "StepFunctions.AWSStepFunctionsException",
    "StepFunctions.SfnException",
    "StepFunctions.SdkClientException",
    "StepFunctions.ThrottlingException",
    "StepFunctions.ExecutionLimitExceededException",
]


def _profile(
    errors: list[str], interval: int, most: int, attempts: int, rate: float = 2.0
) -> dict[str, Any]:
    return {
        "ErrorEquals": errors,
        "IntervalSeconds": interval,
        "BackoffRate": rate,
        "MaxDelaySeconds": most,
        "MaxAttempts": attempts,
        "JitterStrategy": "FULL",
    }


PROFILES: dict[str, dict[str, dict[str, Any]]] = {
    # Nobody waits for a job by the second: patience costs less than a failed job.
    "media_job": {
        # An idle function in a VPC is away for up to 90 s when it is called again.
        "lambda faults": _profile(_LAMBDA_FAULTS, 2, 60, 10),
        "crash": _profile(_CRASHES, 1, 20, 5),
        "store": _profile(["StoreUnavailable"], 2, 60, 12),
        # Every step may run again, and a job that is paid for is worth a few tries.
        "time": _profile(["Sandbox.Timedout", "States.Timeout"], 1, 5, 6, rate=1.0),
        "own time": _profile(["Sandbox.Timedout"], 1, 5, 6, rate=1.0),
        "submission": _profile(["ProviderThrottled", "ProviderUnavailable"], 5, 60, 10),
        # Then the job waits, and the poller finds out.
        "uncertain": _profile(["SubmissionUncertain"], 4, 20, 4),
        "provider": _profile(["ProviderThrottled", "ProviderUnavailable"], 2, 30, 5),
        "download": _profile(["DownloadFailed"], 3, 60, 5),
    },
    # A client waits: few and quick.
    "generate_media": {
        "lambda faults": _profile(_LAMBDA_FAULTS, 1, 2, 2),
        "crash": _profile(_CRASHES, 1, 2, 2),
        "store": _profile(["StoreUnavailable"], 1, 2, 2),
        "first copy": _profile(["RequestInProgress"], 1, 2, 3, rate=1.5),
        "start": _profile(_START_FAULTS, 1, 2, 3),
    },
}


def profile_name(machine: str, retrier: dict[str, Any]) -> str | None:
    """The name of the policy that a retrier is; None for one that is none of them."""
    named = PROFILES[machine].items()
    return next((name for name, profile in named if profile == retrier), None)
