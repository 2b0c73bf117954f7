"""SubmitPrediction: exactly one paid prediction for the job, however often this step runs."""

from datetime import timedelta

from vsl.domain.job import Job
from vsl.domain.validation import build_provider_input
from vsl.runtime.handler import Context, Event, step
from vsl.runtime.observability import metrics
from vsl.runtime.settings import settings
from vsl.runtime.wiring import catalogue, clock, lazily, live_jobs, parameters, provider, uploads
from vsl.services.input_files import with_addresses
from vsl.services.submission import Submission, submit


@step
def handler(event: Event, _context: Context) -> Event:
    job = Job.from_document(event["job"])
    model = catalogue().find(job.model_id)
    given = with_addresses(job, model, uploads=lazily(uploads))
    submitted = submit(
        Submission(
            job=job,
            reference=model.reference,
            provider_input=build_provider_input(model, given),
            webhook_base=parameters().get("api-url"),
            settle=timedelta(seconds=settings().submission_settle_seconds),
        ),
        live=live_jobs(),
        provider=provider(),
        clock=clock,
        metrics=metrics,
    )
    return {"replicateId": submitted.replicate_id, "attempt": submitted.attempt}
