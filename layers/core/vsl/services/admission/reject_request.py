"""A refused request leaves nothing behind: its admission is withdrawn, its Idempotency-Key is free."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from vsl.domain.errors import StoreUnavailable, VslError, request_error
from vsl.domain.jobs.idempotency import KeyRecord
from vsl.services.ports.idempotency import KeyRecords
from vsl.services.ports.limits import RateLimits

# What PostgreSQL refuses a job with. It was not admitted by an earlier request either then: a step that
# ran twice said so.
_NEVER_CREATED = {"BudgetExceeded", "ModelFrozen", "UnpricedModel"}


@dataclass(frozen=True, slots=True)
class RejectRequest:
    limits: RateLimits
    keys: KeyRecords

    def __call__(self, document: Mapping[str, Any]) -> VslError:
        """The error that the client gets. `document` is the state of the API workflow."""
        error = document.get("error") or {}
        first = (document.get("admission") or {}).get("first")
        if first or error.get("Error") in _NEVER_CREATED:
            # Admitted by this very request, and then not started: it takes no place in any limit.
            self.limits.withdraw(document["job"]["userId"], document["job"]["jobId"])
        key = KeyRecord.from_document(document.get("key"))
        if key is not None:
            with suppress(StoreUnavailable):  # the claim expires by itself
                self.keys.release(key, document["job"]["jobId"])
        return request_error(str(error.get("Error", "InternalError")), error.get("Cause"))
