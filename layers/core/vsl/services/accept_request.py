"""The front of both state machines: a request in, a job out, or every fault at once."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from vsl.domain.caller import Caller
from vsl.domain.catalogue import Catalogue
from vsl.domain.errors import Forbidden, InvalidRequest, PayloadTooLarge
from vsl.domain.ids import created_at, is_job_id, new_job_id
from vsl.domain.job import Job, JobStatus
from vsl.domain.pricing import estimate, estimated_time
from vsl.domain.request import KEYS, is_user_id, parse_request
from vsl.domain.validation import validate_parameters

MAX_IDEMPOTENCY_KEY = 255
# What is beyond ASCII in a header has no agreed meaning.
_IDEMPOTENCY_KEY = re.compile(rf"[ -~]{{1,{MAX_IDEMPOTENCY_KEY}}}")
# What only the API's template puts into the input; an operator who starts a machine is trusted.
FROM_THE_API = {"requestId", "subject"}
# As JSON. A job travels through Step Functions, whose documents end at 256 KiB: this leaves as much
# again for what the steps add.
MAX_REQUEST_BYTES = 128 * 1024
_ENCODER = json.JSONEncoder(ensure_ascii=False)


class Once(Protocol):
    """Runs `produce` once per key and gives every later caller its result."""

    def once(
        self, key: str, body: Mapping[str, Any], produce: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """Raises IdempotencyKeyReused for another body, RequestInProgress while it runs."""
        ...


@dataclass(frozen=True, slots=True)
class Execution:
    """The state machine execution that asks: its retries must name the same job."""

    id: str
    name: str
    started_at: datetime

    @property
    def job_id(self) -> str:
        """The execution's own name where that is a job id, else one derived from the execution."""
        return self.name if is_job_id(self.name) else new_job_id(self.started_at, self.id)


def accept_request(
    document: Mapping[str, Any],
    execution: Execution,
    *,
    catalogue: Catalogue,
    once: Once,
    check: Callable[[Job], None],
    allow_http: bool = False,
    known_by_token: bool = False,
) -> Job:
    """The job that a state machine's input asks for.

    The input is `{"request": …, "idempotencyKey": …, "subject": …}` from the API, `{"job": …}` from
    generate_media, or the bare request from the console. Nothing in it is taken on trust but the
    `subject`, which API Gateway vouches for: a job is validated and priced again. `check` looks
    beyond the request and raises what it finds; who repeats an accepted request is spared it.

    `known_by_token`: the API knows its callers one by one, and none comes through it without a
    subject. Raises Forbidden for one without, and for one that names another user.
    """
    if isinstance(document.get("job"), Mapping):
        given = document["job"]
        job_id = given.get("jobId")
        if not is_job_id(job_id):
            raise InvalidRequest("The job has no valid jobId.")
        job = _job(_asked(given), str(job_id), catalogue, allow_http)
        check(job)
        return job
    body = document["request"] if "request" in document else _asked(document)
    _check_size(body)
    if known_by_token and FROM_THE_API & document.keys() and not document.get("subject"):
        raise Forbidden("The token names no user.")
    if "request" in document:
        body = _owned(body, document.get("subject") or None)
    job = _job(body, execution.job_id, catalogue, allow_http)
    key = document.get("idempotencyKey") or ""
    if not key:
        check(job)
        return job
    if not isinstance(key, str) or not _IDEMPOTENCY_KEY.fullmatch(key):
        raise InvalidRequest(
            f"An Idempotency-Key has at most {MAX_IDEMPOTENCY_KEY} printable ASCII characters."
        )

    def accept() -> dict[str, Any]:
        check(job)
        return job.document()

    return Job.from_document(once.once(f"{job.user_id} {key}", body, accept))


def _owned(body: object, subject: str | None) -> object:
    """The body with its user. Raises Forbidden when it names another one than the caller is."""
    if subject is None or not isinstance(body, Mapping):
        return body
    named = body.get("userId")
    caller = Caller(subject, named if is_user_id(named) else None)
    return {**body, "userId": named if named is not None else caller.user_id}


def _asked(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a job's document only what was asked counts; anything else stays as it is."""
    if "jobId" not in document:
        return document
    return {name: document[name] for name in KEYS if name in document}


def _check_size(body: object) -> None:
    size = len(_ENCODER.encode(body).encode("utf-8", "surrogatepass"))
    if size > MAX_REQUEST_BYTES:
        raise PayloadTooLarge(
            f"The request has {size:,} bytes; at most {MAX_REQUEST_BYTES:,} are allowed. Large"
            " inputs are passed by their address.",
            limit=MAX_REQUEST_BYTES,
        )


def accepted_answer(job: Job, request_url: str | None) -> dict[str, Any]:
    """The body of the 202: what is known of a job at the moment it is accepted."""
    return {
        "jobId": job.job_id,
        "status": JobStatus.PENDING.value,
        "estimatedTime": job.estimated_time,
        "estimatedCost": float(job.estimated_cost),
        "replicateId": None,
        "statusUrl": status_url(job.job_id, request_url),
    }


def status_url(job_id: str, request_url: str | None) -> str:
    """Beside the address the request came in by, so that stages and custom domains both work."""
    base = (request_url or "").removesuffix("/generate-media")
    return f"{base}/status/{job_id}"


def _job(body: object, job_id: str, catalogue: Catalogue, allow_http: bool) -> Job:
    request = parse_request(body, allow_http=allow_http)
    model = catalogue.find(request.model_id, request.media_type)
    parameters = validate_parameters(model, request.parameters, allow_http=allow_http)
    return Job(
        job_id=job_id,
        user_id=request.user_id,
        media_type=model.media_type,
        model_id=model.model_id,
        parameters=parameters,
        estimated_time=estimated_time(model, parameters),
        estimated_cost=estimate(model, parameters),
        timeout_seconds=model.timeout,
        created_at=created_at(job_id),
        reruns=model.reruns,
        callback_url=request.callback_url,
    )
