"""A request with an Idempotency-Key: the first one makes the job, a repetition gets the same job."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vsl.domain.api.request import GenerateRequest
from vsl.domain.errors import JobDeleted, RequestInProgress, VslError
from vsl.domain.jobs.execution import Execution
from vsl.domain.jobs.idempotency import CLAIM_SECONDS, Claim
from vsl.domain.jobs.job import Job
from vsl.services.admission.accepted import Accepted, on_its_terms
from vsl.services.admission.make_job import MakeJob
from vsl.services.ports.idempotency import IdempotencyKeys
from vsl.services.ports.tracking import TrackingStore


@dataclass(frozen=True, slots=True)
class AcceptKeyedRequest:
    """`check` raises what is wrong with a new job; a repetition is not checked again."""

    keys: IdempotencyKeys
    tracking: TrackingStore
    make_job: MakeJob
    check: Callable[[Job], None]

    def __call__(
        self, key: str, body: Mapping[str, Any], request: GenerateRequest, execution: Execution
    ) -> Accepted:
        """Raises IdempotencyKeyReused, RequestInProgress, and JobDeleted for a key whose job is deleted."""
        now = execution.started_at
        try:
            job = self.make_job(request, execution.job_id)
        except VslError:
            # The catalogue may have changed since the job was created.
            claim = self.keys.find(key, body, self._exists)
            if claim is None or not claim.created or self._never_started(claim):
                raise
            return self._repeated(claim, None, now)
        claim = self._claim(key, body, job)
        if claim.created and self._never_started(claim):
            self.keys.forget(claim)
            claim = self._claim(key, body, job)
        if claim.job_id != job.job_id:
            job = self.make_job(request, claim.job_id)
        return self._repeated(claim, job, now) if claim.created else Accepted(job, claim.record)

    def _claim(self, key: str, body: Mapping[str, Any], job: Job) -> Claim:
        def propose() -> str:
            self.check(job)
            return job.job_id

        return self.keys.claim(key, body, propose, self._exists)

    def _exists(self, job_id: str) -> bool:
        return self.tracking.get(job_id) is not None

    def _never_started(self, claim: Claim) -> bool:
        item = self.tracking.get(claim.job_id)
        return item is not None and item.never_started

    def _repeated(self, claim: Claim, job: Job | None, now: datetime) -> Accepted:
        """A repeated request whose job was created. `job` is what it would be today, if it could be.

        Without that, a job that has not started is not started any more: the poller ends it. The same
        holds when too little of its time is left: the key is free once the poller has ended it.
        """
        item = self.tracking.get(claim.job_id)
        if item is None:
            message = "The job of this Idempotency-Key was deleted; take a new key."
            raise JobDeleted(message, jobId=claim.job_id)
        if not item.begun and now >= item.job.start_by:
            message = "The job of this Idempotency-Key did not begin in time; ask again later."
            raise RequestInProgress(message, retryAfter=CLAIM_SECONDS)
        known = item.job if job is None else on_its_terms(job, item)
        return Accepted(
            known,
            claim.record,
            created=True,
            started=job is None or item.begun,
            replayed=True,
            status=item.status,
            replicate_id=item.replicate_id,
        )
