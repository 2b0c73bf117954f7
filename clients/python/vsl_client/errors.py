"""The one error of this package."""

from collections.abc import Mapping
from typing import Any

from vsl_client.types import Fault, JobStatus


class VslError(Exception):
    """A refusal of the API, a job that did not succeed, or a fault on the way.

    `code` is one of docs/api.md#errors, or of this package: `Unreachable` (no answer), `NotVsl` (an
    answer that is not the API's), `DownloadFailed`, `ChecksumMismatch`, `InvalidSignature`.
    `status` is the HTTP status, or None without an answer. `fields` names each fault of a request.
    `retry_after` are seconds. `job` is the status of a job that failed or was canceled. `problem` is the
    whole answer to a refused request, such as with what is left of a budget.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int | None = None,
        fields: list[Fault] | None = None,
        retry_after: float | None = None,
        job: JobStatus | None = None,
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields or []
        self.retry_after = retry_after
        self.job = job
        self.problem = problem or {}


def refusal(status: int, problem: Mapping[str, Any], retry_after: float | None) -> VslError:
    """From a problem (RFC 9457); what is not one, such as a proxy's page, has no code."""
    if "code" not in problem:
        return VslError(
            "NotVsl",
            f"an answer with status {status} that is not the API's; is the address right?",
            status=status,
            retry_after=retry_after,
        )
    message = str(problem.get("detail") or problem.get("title", ""))
    return VslError(
        str(problem["code"]),
        message,
        status=status,
        fields=problem.get("fields"),
        retry_after=problem.get("retryAfter", retry_after),
        problem=problem,
    )


def failure(job: JobStatus) -> VslError:
    """Of a job that ended otherwise than `succeeded`."""
    code = job["errorCode"] or "JobFailed"
    return VslError(code, job["error"] or f"the job is {job['status']}", job=job)
