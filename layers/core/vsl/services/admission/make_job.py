"""A request becomes a job: validated, priced, with a time limit."""

from dataclasses import dataclass

from vsl.domain.api.request import GenerateRequest
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.mapping import provider_call
from vsl.domain.catalogue.validation import validate_parameters
from vsl.domain.jobs.ids import created_at
from vsl.domain.jobs.job import Job
from vsl.domain.money.pricing import estimate, estimated_time, price_terms
from vsl.domain.predictions.output import OutputKind


@dataclass(frozen=True, slots=True)
class MakeJob:
    catalogue: Catalogue
    allow_http: bool

    def __call__(self, request: GenerateRequest, job_id: str) -> Job:
        """Raises UnknownModel and InvalidParameters."""
        model = self.catalogue.find(request.model_id, request.media_type)
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
            priority=request.priority,
            output=OutputKind.of(model.output),
            price=price_terms(model, parameters),
            call=provider_call(model, parameters),
        )
