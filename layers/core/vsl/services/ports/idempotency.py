"""DynamoDB: which request came first with a key, and what becomes of the key."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from vsl.domain.jobs.idempotency import Claim, KeyRecord


class IdempotencyKeys(Protocol):
    """DynamoDB: which request came first with a key. `domain.jobs.idempotency` has the rules."""

    def claim(
        self,
        key: str,
        body: Mapping[str, Any],
        propose: Callable[[], str],
        exists: Callable[[str], bool],
    ) -> Claim:
        """What is kept under the key, or `propose`'s jobId from now on; it may raise.

        `exists` tells whether a job is there, for records of an older version, which do not say so.
        Raises IdempotencyKeyReused for another body, RequestInProgress while another call claims it.
        """
        ...

    def find(
        self, key: str, body: Mapping[str, Any], exists: Callable[[str], bool]
    ) -> Claim | None:
        """What is kept under the key, and nothing is claimed."""
        ...

    def forget(self, claim: Claim) -> None:
        """The key is free again, if it still stands for this created job."""
        ...


class KeyRecords(Protocol):
    """DynamoDB: what becomes of a claimed key."""

    def hold(self, record: KeyRecord, job_id: str) -> bool:
        """Keep the claim while the job is written down; False when it was created already.

        Raises RequestInProgress when the key stands for another job by now.
        """
        ...

    def bind(self, record: KeyRecord, job_id: str) -> None:
        """The job is created: the key stands for it."""
        ...

    def release(self, record: KeyRecord, job_id: str) -> None:
        """Nothing came of the request, unless another with the same key is creating the job."""
        ...


class RecentRequests(Protocol):
    """DynamoDB: the key that the latest of equal requests got."""

    def key_of(self, digest: str, own: str, at: datetime, joins: int, kept: int) -> str:
        """That of an equal request at most `joins` seconds before `at`, else `own`, which is remembered for
        `kept` seconds. Of several at once one is remembered, and all get its key."""
        ...

    def renew(self, digest: str, own: str, at: datetime, kept: int) -> None:
        """Remember `own` in the place of whatever is remembered."""
        ...
