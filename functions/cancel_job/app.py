"""CancelJob: note the wish, cancel at the provider, answer how the job stands."""

from vsl.runtime.caller import caller
from vsl.runtime.handler import Context, Event, Response, answer, api
from vsl.runtime.observability import metrics
from vsl.runtime.wiring import callbacks, clock, live_jobs, provider
from vsl.services.cancel_job import cancel_job


@api
def handler(event: Event, _context: Context) -> Response:
    item = cancel_job(
        event["pathParameters"]["jobId"],
        caller(event),
        live=live_jobs(),
        provider=provider(),
        callbacks=callbacks(),
        clock=clock,
        metrics=metrics,
    )
    ended = item.status.terminal
    body = {"jobId": item.job.job_id, "status": item.status.value, "cancelRequested": not ended}
    return answer(200 if ended else 202, body)
