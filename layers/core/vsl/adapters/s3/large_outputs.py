"""Outputs that do not fit an item: kept in S3, with one reference in their place.

A model may answer with the file itself, as a data URL, or with thousands of addresses. An item of
DynamoDB ends at 400 KB and the output of a task token at 256 KB, and each write of an item pays for
all of it. The reference lives as long as the job's records: a day, or until the job is deleted.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace

from vsl.adapters.s3.objects import ObjectStore
from vsl.domain.errors import OutputExpired
from vsl.domain.jobs.object_keys import outputs_key
from vsl.domain.predictions.prediction import Outcome

INLINE_BYTES = 8 * 1024
_REFERENCE = "s3:"


class LargeOutputs:
    """`objects` is called when the first large output comes."""

    def __init__(self, objects: Callable[[], ObjectStore]) -> None:
        self._objects = objects

    def keep(self, job_id: str, outcome: Outcome) -> Outcome:
        """The outcome as it fits an item. Keeping it twice writes the same object."""
        content = json.dumps(outcome.output, ensure_ascii=False).encode()
        if len(content) <= INLINE_BYTES:
            return outcome
        key = outputs_key(job_id, hashlib.sha256(content).hexdigest()[:16])
        self._objects().put(key, content, "application/json")
        return replace(outcome, output=(_REFERENCE + key,))

    def restore(self, outcome: Outcome) -> Outcome:
        """The outcome with its addresses. Raises OutputExpired when they are no longer kept."""
        if len(outcome.output) != 1 or not outcome.output[0].startswith(_REFERENCE):
            return outcome
        content = self._objects().get(outcome.output[0].removeprefix(_REFERENCE))
        if content is None:
            raise OutputExpired("The output was kept for a day and is gone.")
        return replace(outcome, output=tuple(json.loads(content)))
