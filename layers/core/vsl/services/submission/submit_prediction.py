"""Exactly one paid prediction per job, although the step that pays may run any number of times.

Replicate has no idempotency key, so the order of writes is the protocol:

1. claim attempt n in the tracking item (the intent), conditionally;
2. POST, with a webhook address that carries jobId and n;
3. attach the prediction's id to the item, conditionally.

A run that finds an intent without an id does not know whether the provider accepted. It looks for
the prediction first: a `start` webhook may have attached it, else it is searched for in the provider's
list (`search_predictions`). Attempt n + 1 may be paid for only after a grace period, and only once
everything that could be the prediction of attempt n was examined and is not it. Proof that nothing was
accepted (429, connection refused, a 4xx) withdraws the intent. A job that cannot know parks: it waits
like any other, and the poller finds out (`poll_predictions`).
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

from vsl.domain.errors import (
    PredictionTimedOut,
    ProviderThrottled,
    SlotUnavailable,
    SubmissionUncertain,
    VslError,
)
from vsl.domain.jobs.job import Job
from vsl.domain.jobs.tracked_job import TrackedJob, required
from vsl.domain.jobs.webhook_url import webhook_url
from vsl.domain.predictions.search import Intent
from vsl.services.ports.media import Uploads
from vsl.services.ports.provider import Provider
from vsl.services.ports.system import Clock
from vsl.services.ports.tracking import TrackingStore
from vsl.services.submission.adopt_prediction import AdoptPrediction
from vsl.services.submission.attach_prediction import (
    AttachPrediction,
    Submitted,
    refuse_if_over,
)
from vsl.services.submission.prediction_error import may_rerun
from vsl.services.submission.provider_call import call_of, with_addresses

if TYPE_CHECKING:  # slow to import, and only a job of an older version needs it
    from vsl.domain.catalogue.catalogue import Catalogue

# The poller's first look: soon after the model should be done.
FIRST_CHECK_MARGIN = timedelta(seconds=5)
# What a 429 means that does not say how long it holds.
THROTTLED_SECONDS = 10


@dataclass(frozen=True, slots=True)
class SubmitPrediction:
    """`api_url` is where webhooks go."""

    tracking: TrackingStore
    provider: Provider
    catalogue: "Catalogue"
    uploads: Uploads
    api_url: Callable[[], str]
    clock: Clock
    grace: timedelta
    adopt: AdoptPrediction
    attach: AttachPrediction

    def __call__(self, job: Job) -> Submitted:
        """Raises SubmissionUncertain while the provider's answer is unknown, and SlotUnavailable when it is
        throttled; repeating is safe."""
        item = required(self.tracking.get(job.job_id), job.job_id)
        refuse_if_over(item)
        if item.replicate_id and may_rerun(item):
            # None when it is abandoned already, perhaps by this very call, repeated on its way.
            self.tracking.abandon_prediction(job.job_id, item.replicate_id, self.clock.now())
            item = required(self.tracking.get(job.job_id), job.job_id)
        if item.replicate_id:
            return Submitted(item.replicate_id, item.attempt, "known")
        if item.intent_at is not None:
            decide = self.clock.now() - item.intent_at >= self.grace
            adopted = self.adopt(item, decide=decide)
            if adopted:
                return adopted
        if self.clock.now() >= item.deadline:
            # It would be paid for, and stopped immediately.
            message = "The time for the job was over before it could be submitted."
            raise PredictionTimedOut(message, jobId=job.job_id)
        if item.intent_at is not None:
            self._take_another_slot(item)
        return self._attempt(job, item.attempt + 1)

    def _take_another_slot(self, item: TrackedJob) -> NoReturn:
        """The provider never took the last attempt, whose slot is used up. Raises SlotUnavailable."""
        job_id = item.job.job_id
        if not self.tracking.withdraw_intent(job_id, item.attempt):
            raise SubmissionUncertain("Another call is submitting this job.", jobId=job_id)
        raise SlotUnavailable("The last attempt was lost.", jobId=job_id, spent=True)

    def _attempt(self, job: Job, attempt: int) -> Submitted:
        call = call_of(job, self.catalogue)
        provider_input = call.input(with_addresses(job, call, self.uploads))
        webhook = webhook_url(self.api_url(), job.job_id, attempt, job.output)
        now = self.clock.now()
        first_check = now + timedelta(seconds=job.estimated_time) + FIRST_CHECK_MARGIN
        intent = Intent.of(uuid.uuid4().hex[:8], call.reference, provider_input)
        if self.tracking.write_intent(job.job_id, attempt, now, first_check, intent) is None:
            raise SubmissionUncertain("Another call is submitting this job.", jobId=job.job_id)
        try:
            prediction = self.provider.create(
                call.reference, provider_input, webhook, job.timeout_seconds
            )
        except SubmissionUncertain:
            raise
        except VslError as error:  # any other of them is proof that nothing was accepted
            self.tracking.withdraw_intent(job.job_id, attempt)
            if isinstance(error, ProviderThrottled):
                retry_after = error.details.get("retryAfter") or THROTTLED_SECONDS
                message = "The provider has throttled us."
                raise SlotUnavailable(message, retryAfter=retry_after) from error
            raise
        return self.attach(job.job_id, attempt, prediction, "workflow")
