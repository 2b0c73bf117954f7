"""Find the prediction of an intent at the provider and attach it to the job."""

from dataclasses import dataclass

from vsl.domain.errors import SubmissionUncertain
from vsl.domain.jobs.tracked_job import TrackedJob
from vsl.services.ports.tracking import TrackingStore
from vsl.services.submission.attach_prediction import AttachPrediction, Submitted
from vsl.services.submission.search_predictions import SearchPredictions


@dataclass(frozen=True, slots=True)
class AdoptPrediction:
    tracking: TrackingStore
    search: SearchPredictions
    attach: AttachPrediction

    def __call__(self, item: TrackedJob, *, decide: bool) -> Submitted | None:
        """None is the proof that there is none. Only a search with `decide` can give it, after the
        grace period.

        Raises SubmissionUncertain while the question is open; its details tell whether the next run
        gets further (`searching`) and whether the provider could be read (`readable`).
        """
        job_id = item.job.job_id
        result = self.search(item, decide=decide)
        winner: Submitted | None = None
        for attempt, prediction in result.traces:
            submitted = self.attach(job_id, attempt, prediction, "list")
            winner = winner or submitted
        if winner or result.complete:
            return winner
        further = result.search is not None and result.search != item.search
        if result.search is not None and further:
            self.tracking.save_search(job_id, item.attempt, result.search)
        raise SubmissionUncertain(
            "The provider may have accepted the last attempt; waiting for a trace of it.",
            jobId=job_id,
            attempt=item.attempt,
            searching=further,
            readable=result.error is None,
        ) from result.error
