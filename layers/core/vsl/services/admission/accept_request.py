"""The first step of both state machines: a request in, a job out, or all its faults together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vsl.domain.api.caller import Edge
from vsl.domain.api.request import GenerateRequest, parse_request
from vsl.domain.errors import InvalidRequest, JobDeleted
from vsl.domain.jobs.execution import Execution
from vsl.domain.jobs.ids import is_job_id
from vsl.domain.jobs.job import Job
from vsl.services.admission.accepted import Accepted, on_its_terms
from vsl.services.admission.keyed_request import AcceptKeyedRequest
from vsl.services.admission.machine_input import (
    faults_beside_the_body,
    idempotency_key,
    read_input,
    repetition_of,
    request_body,
    requested,
)
from vsl.services.admission.make_job import MakeJob
from vsl.services.admission.shared_key import SharedKey
from vsl.services.ports.idempotency import IdempotencyKeys
from vsl.services.ports.tracking import TrackingStore


@dataclass(frozen=True, slots=True)
class AcceptRequest:
    """`check` looks beyond the request and raises what it finds, for a new job alone."""

    tracking: TrackingStore
    make_job: MakeJob
    check: Callable[[Job], None]
    edge: Edge
    shared_key: SharedKey

    def __call__(
        self, document: Mapping[str, Any], execution: Execution, keys: IdempotencyKeys
    ) -> Accepted:
        """The job that a state machine's input asks for. `keys` claim for as long as this call may last.

        A request without a key is its own, unless its client marks retries or its key asks for a window
        (`domain.api.repetition`): then an equal one that is recent enough has its job.

        The input is `{"body": …, "idempotencyKey": …, "claims": …, "authorizer": …}` from the API, where the
        body is the text that the client sent, or the same with a `request` that is read already,
        `{"job": …}` from generate_media, or the bare request from the console. Only `claims` and
        `authorizer` are trusted, which API Gateway vouches for: a job is validated and priced, unless it
        was accepted before. From its creation on a job keeps its terms, whatever becomes of the catalogue.

        Raises Forbidden for a request through the API without a token or key where the `edge` vouches for
        every caller, for a token of none of its clients, and for one that names another user; JobDeleted
        for a key whose job is deleted.
        """
        document = read_input(document)
        if isinstance(document.get("job"), Mapping):
            return self._given(document["job"])
        body = request_body(document, self.edge)
        request = self._request(document, body)
        key, repetition = idempotency_key(document), repetition_of(document)
        keyed = AcceptKeyedRequest(keys, self.tracking, self.make_job, self.check)
        if key:
            return keyed(f"{request.user_id} {key}", body, request, execution)
        if not repetition.told:
            return self._checked(self.make_job(request, execution.job_id))
        asked = (request.user_id, body, repetition, execution)
        try:
            return keyed(_of_ours(request, self.shared_key(*asked)), body, request, execution)
        except JobDeleted:
            renewed = _of_ours(request, self.shared_key.renewed(*asked))
            return keyed(renewed, body, request, execution)

    def _request(self, document: Mapping[str, Any], body: Any) -> GenerateRequest:
        """Raises InvalidRequest with every fault: of headers, query, envelope and parameters."""
        faults = faults_beside_the_body(document)
        try:
            request = parse_request(body, allow_http=self.make_job.allow_http)
        except InvalidRequest as error:
            faults += error.faults
        else:
            if not faults:
                return request
        raise InvalidRequest.of([*faults, *self.make_job.faults(body)])

    def _given(self, given: Mapping[str, Any]) -> Accepted:
        """A job's document, from generate_media or from an operator."""
        job_id = given.get("jobId")
        if not is_job_id(job_id):
            raise InvalidRequest("The job has no valid jobId.")
        item = self.tracking.get(str(job_id))
        if item is not None:
            return Accepted(on_its_terms(_readable(given), item), created=True)
        request = parse_request(requested(given), allow_http=self.make_job.allow_http)
        return self._checked(self.make_job(request, str(job_id)))

    def _checked(self, job: Job) -> Accepted:
        self.check(job)
        return Accepted(job)


def _of_ours(request: GenerateRequest, key: str) -> str:
    """No client's key has a line's end, so none can be one of these."""
    return f"{request.user_id}\n{key}"


def _readable(given: Mapping[str, Any]) -> Job:
    try:
        return Job.from_document(given)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidRequest("The job's document is not complete.") from error
