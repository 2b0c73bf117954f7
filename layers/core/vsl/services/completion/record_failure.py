"""An execution ends in an error: its job ends with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vsl.domain.errors import VslError, parse_error
from vsl.domain.jobs.job import Job
from vsl.services.completion.fail_job import FailJob


@dataclass(frozen=True, slots=True)
class RecordFailure:
    fail: FailJob

    def __call__(self, document: Mapping[str, Any]) -> VslError:
        """The error the execution ends in, from the state machine's whole document.

        A request that never became a job (it was not valid) leaves no record; its error is the answer.
        """
        raised = document.get("error") or {}
        error = parse_error(str(raised.get("Error", "InternalError")), raised.get("Cause"))
        if isinstance(document.get("job"), Mapping):
            self.fail(Job.from_document(document["job"]), error)
        return error
