"""A prediction is asked for: a job is submitted, and waited for as long as the client prefers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vsl.domain.api.caller import Caller
from vsl.domain.api.repetition import Repetition
from vsl.domain.catalogue.models import Model
from vsl.domain.compat.replicate_input import field_names, parameters_of
from vsl.domain.compat.replicate_prediction import metadata_of
from vsl.domain.compat.replicate_problems import invalid, not_found, of_problem
from vsl.domain.compat.replicate_request import PredictionRequest
from vsl.domain.jobs.job import JobStatus
from vsl.services.admission.submit_job import SubmitJob
from vsl.services.compat.show_predictions import ShowPredictions
from vsl.services.reading.wait_for_job import WaitForJob

# Official clients take `processing` in the answer to a request that waits for the end of it.
UNFINISHED = "starting"


@dataclass(frozen=True, slots=True)
class Submission:
    """How a request came: `api` is the protocol's address and `files` every address it may have, `gateway`
    the `id` and `host` by which API Gateway was called; `key` is its Idempotency-Key, empty for none;
    `repetition` is what client and key say of repetitions;
    `wait` in seconds, `wait_id` names the wait; `seconds_left` is what the function has left for one."""

    user_id: str
    api: str
    files: Sequence[str]
    gateway: Mapping[str, str]
    key: str
    repetition: Repetition
    wait: int
    wait_id: str
    seconds_left: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Created:
    """`waited`: the wait was granted."""

    prediction: Mapping[str, Any]
    ended: bool
    waited: bool


@dataclass(frozen=True, slots=True)
class CreatePrediction:
    submit: SubmitJob
    wait_for_job: WaitForJob
    status: Callable[[str, Caller], Mapping[str, Any]]
    show: ShowPredictions
    allow_http: bool

    def __call__(
        self, models: Sequence[Model], request: PredictionRequest, asked: Submission
    ) -> Created:
        """`models` are the catalogue's entries for what the request names, of which the first that can
        express its input is taken. Raises ReplicateProblem."""
        model, parameters = self._chosen(models, request, asked)
        answer = self.submit(
            self._body(model, parameters, request, asked),
            asked.key,
            asked.gateway,
            asked.repetition,
        )
        if not answer.accepted:
            raise of_problem(answer.body, field_names(model))
        job_id, owner = str(answer.body["jobId"]), Caller(named=asked.user_id)
        granted, status = self._waited(job_id, asked)
        status = status or self.status(job_id, owner)
        shown = self.show([status], asked.api)
        if not shown:
            raise not_found()
        ended = JobStatus(status["status"]).terminal
        unfinished = {} if ended else {"status": UNFINISHED}
        return Created(shown[0] | unfinished, ended, granted)

    def _chosen(
        self, models: Sequence[Model], request: PredictionRequest, asked: Submission
    ) -> tuple[Model, Mapping[str, Any]]:
        wrong = []
        for model in models:
            parameters, faults = parameters_of(
                model, request.input, asked.files, allow_http=self.allow_http
            )
            if not faults:
                return model, parameters
            wrong.append(faults)
        raise invalid(wrong[0])

    def _body(
        self,
        model: Model,
        parameters: Mapping[str, Any],
        request: PredictionRequest,
        asked: Submission,
    ) -> dict[str, Any]:
        body: dict[str, Any] = {
            "userId": asked.user_id,
            "modelId": model.model_id,
            "parameters": parameters,
            "metadata": metadata_of(request),
        }
        if request.webhook:
            body |= {"callbackUrl": request.webhook, "callbackEvents": request.callback_events}
        return body

    def _waited(self, job_id: str, asked: Submission) -> tuple[bool, Mapping[str, Any] | None]:
        seconds = min(asked.wait, asked.seconds_left())
        if seconds <= 0:
            return False, None
        waited = self.wait_for_job(job_id, asked.user_id, asked.wait_id, seconds)
        return waited.granted, waited.body
