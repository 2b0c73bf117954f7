"""ValidateRequest: the state machine's input becomes a job with an id, a price and a time limit."""

from datetime import datetime

from vsl.domain.job import Job
from vsl.domain.prefer import preferred_wait
from vsl.runtime.handler import Context, Event, answer, step
from vsl.runtime.settings import settings
from vsl.runtime.wiring import catalogue, idempotency, lazily, uploads
from vsl.services.accept_request import Execution, accept_request, accepted_answer
from vsl.services.input_files import check_uploads


def _check(job: Job) -> None:
    check_uploads(
        job,
        catalogue().find(job.model_id),
        uploads=lazily(uploads),
        limits=settings().max_upload_bytes,
    )


@step
def handler(event: Event, context: Context) -> Event:
    document = event["input"]
    execution = event["execution"]
    job = accept_request(
        document,
        Execution(
            execution["id"], execution["name"], datetime.fromisoformat(execution["startTime"])
        ),
        catalogue=catalogue(),
        once=idempotency(context),
        check=_check,
        allow_http=settings().allow_http_inputs,
        known_by_token=settings().api_auth == "COGNITO",
    )
    body = accepted_answer(job, document.get("requestUrl"))
    return {
        "job": job.document(),
        "answer": answer(202, body, {"Location": body["statusUrl"]}),
        "wait": preferred_wait(document.get("prefer")),
    }
