"""Telling others of a job's end: events, callbacks and their log."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from vsl.domain.callbacks.callback import CallbackTarget, DeliveryAttempt, Reply
from vsl.domain.jobs.status import StatusDocument


class EventPublisher(Protocol):
    """SQS and EventBridge."""

    def ended(self, document: StatusDocument, *, callback: bool) -> None:
        """Tell that a job has ended; with `callback` also ask for its client to be called.

        A second announcement is a second message: receivers recognize it by the jobId.
        """
        ...


class CallbackQueue(Protocol):
    """SQS: deliveries that are due."""

    def enqueue(self, job_id: str, delivery_id: str) -> None: ...


class CallbackLog(Protocol):
    """PostgreSQL: where clients want to be called, and what came of it."""

    def target(self, job_id: str) -> CallbackTarget | None:
        """None for a job that never was or is deleted."""
        ...

    def settled(self, job_id: str, delivery_id: str) -> bool:
        """Whether the client has taken it, or answered that it wants no more."""
        ...

    def add(self, job_id: str, attempt: DeliveryAttempt) -> None:
        """Write the attempt down; for a deleted job nothing."""
        ...

    def attempts(self, job_id: str) -> Sequence[DeliveryAttempt]:
        """The latest hundred, newest first."""
        ...


class CallbackPost(Protocol):
    """HTTP, to a client's address."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Never raises for what the address or its server does: that is what the reply says."""
        ...
