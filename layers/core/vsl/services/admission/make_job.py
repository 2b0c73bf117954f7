"""A request becomes a job: validated, priced, with a time limit."""

from collections.abc import Mapping
from dataclasses import dataclass

from vsl.domain.api.request import GenerateRequest, folded_parameters
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.mapping import provider_call
from vsl.domain.catalogue.validation import validate_parameters
from vsl.domain.errors import InvalidParameters, InvalidRequest, UnknownModel
from vsl.domain.jobs.ids import created_at
from vsl.domain.jobs.job import Job
from vsl.domain.money.pricing import estimate, estimated_time, price_terms
from vsl.domain.predictions.output import OutputKind


@dataclass(frozen=True, slots=True)
class MakeJob:
    catalogue: Catalogue
    allow_http: bool

    def __call__(self, request: GenerateRequest, job_id: str) -> Job:
        """Raises UnknownModel, InvalidParameters, and InvalidRequest for a model of another media type."""
        try:
            model = self.catalogue.find(request.model_id, request.media_type)
        except InvalidRequest as error:
            given = {"modelId": request.model_id, "parameters": request.parameters}
            raise InvalidRequest.of([*error.faults, *self.faults(given)]) from None
        parameters = validate_parameters(model, request.parameters, allow_http=self.allow_http)
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
            callback_events=request.callback_events,
            metadata=request.metadata,
            priority=request.priority,
            output=OutputKind.of(model.output),
            price=price_terms(model, parameters),
            call=provider_call(model, parameters),
        )

    def faults(self, body: object) -> list[tuple[str, str]]:
        """What is wrong with model and parameters of a request that has other faults, as far as they can
        be read."""
        if not isinstance(body, Mapping) or not isinstance(body.get("modelId"), str):
            return []
        parameters, _ = folded_parameters(body)
        try:
            model = self.catalogue.find(body["modelId"])
            validate_parameters(model, parameters, allow_http=self.allow_http)
        except UnknownModel:
            return [("modelId", "is not a model of GET /models")]
        except InvalidParameters as error:
            return error.faults
        return []
