"""The key of a request that came without one, from a client or by a key that tells of repetitions.

An equal request that is recent enough has made it; else the request gets one of its own, by which the next
one may join its job.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vsl.domain.api.repetition import Repetition, digest_of
from vsl.domain.jobs.execution import Execution
from vsl.services.ports.idempotency import RecentRequests


@dataclass(frozen=True, slots=True)
class SharedKey:
    recent: RecentRequests

    def __call__(
        self, user_id: str, body: Mapping[str, Any], repetition: Repetition, execution: Execution
    ) -> str:
        digest = digest_of(user_id, repetition.key_id, body)
        return self.recent.key_of(
            digest, own_key(execution), execution.started_at, repetition.joins, repetition.kept
        )

    def renewed(
        self, user_id: str, body: Mapping[str, Any], repetition: Repetition, execution: Execution
    ) -> str:
        """A key of its own, whatever equal requests have: their job is gone."""
        digest, own = digest_of(user_id, repetition.key_id, body), own_key(execution)
        self.recent.renew(digest, own, execution.started_at, repetition.kept)
        return own


def own_key(execution: Execution) -> str:
    """The same for every try of one execution's step."""
    return hashlib.sha256(execution.id.encode()).hexdigest()[:32]
