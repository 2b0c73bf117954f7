"""The good end: media stored, money known, everybody told."""

from vsl.domain.errors import JobCanceled
from vsl.domain.job import FinishedJob, Job, JobEvent, JobStatus, MediaAsset
from vsl.domain.prediction import Outcome
from vsl.domain.pricing import actual_cost
from vsl.services.finish import Books, finish, with_end


def finalize_job(job: Job, outcome: Outcome, assets: tuple[MediaAsset, ...], books: Books) -> None:
    """Raises JobCanceled when the job has ended otherwise in the meantime."""
    item = books.live.get(job.job_id)
    now = books.clock.now()
    succeeded = JobEvent(JobStatus.SUCCEEDED.value, now)
    finished = FinishedJob(
        job=job,
        status=JobStatus.SUCCEEDED,
        completed_at=now,
        replicate_id=outcome.replicate_id,
        attempt=item.attempt if item else 0,
        assets=assets,
        actual_cost=actual_cost(books.catalogue.find(job.model_id), job.parameters, outcome),
        predict_time=outcome.predict_time,
        total_time=outcome.total_time,
        logs=item.logs if item else None,
        events=with_end(item.events if item else (), succeeded),
        webhooks=item.webhooks if item else (),
        waste=item.waste if item else (),
    )
    if not finish(finished, books):
        raise JobCanceled("The job has already ended otherwise.", jobId=job.job_id)
