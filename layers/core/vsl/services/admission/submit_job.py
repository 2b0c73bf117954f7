"""A job submitted by one of our own functions, through the workflow that every request goes through."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vsl.domain.api.repetition import Repetition
from vsl.services.ports.workflow import ApiWorkflow, WorkflowAnswer


@dataclass(frozen=True, slots=True)
class SubmitJob:
    """The caller is checked already: the machine takes the request's `userId` as it is."""

    workflow: ApiWorkflow

    def __call__(
        self,
        request: Mapping[str, Any],
        key: str,
        api: Mapping[str, str],
        repetition: Repetition,
    ) -> WorkflowAnswer:
        """`request` is the body of POST /generate-media with its `userId`, `key` an Idempotency-Key, empty
        for none, `api` the `id` and `host` by which API Gateway was called. Raises StoreUnavailable when
        the machine did not answer: then a job may have been made, and the same key finds it.
        """
        return self.workflow.run(
            {
                "body": json.dumps(request, ensure_ascii=False),
                "idempotencyKey": key,
                "hasIdempotencyKey": bool(key),
                "query": "",
                "prefer": "",
                "retry": "" if repetition.retry is None else str(repetition.retry),
                "keyId": repetition.key_id,
                "dedupeSeconds": repetition.window,
                "api": dict(api),
            }
        )
