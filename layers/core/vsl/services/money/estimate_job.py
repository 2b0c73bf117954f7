"""What a job would cost and how long it would take, without making it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vsl.domain.api.request import folded_parameters
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.validation import validate_parameters
from vsl.domain.errors import InvalidRequest
from vsl.domain.money.amounts import dollars, micro_dollars, plain_text
from vsl.domain.money.pricing import estimate, estimated_time, would_hold
from vsl.services.money.foresee_admission import ForeseeAdmission


@dataclass(frozen=True, slots=True)
class EstimateJob:
    catalogue: Catalogue
    allow_http: bool
    foresee_admission: ForeseeAdmission

    def __call__(
        self, model_id: str, body: Mapping[str, Any], user_id: str | None
    ) -> dict[str, Any]:
        """The public document: US dollars, seconds, and the parameters with their defaults filled in.
        Where the user is known, it says whether the budgets would admit the job.

        Raises UnknownModel, InvalidRequest and InvalidParameters: as a job, what passes here is
        refused only for its user's limits or an upload that is not there.
        """
        model = self.catalogue.find(model_id)
        given, faults = folded_parameters(body)
        if faults:
            raise InvalidRequest.of(faults.items())
        parameters = validate_parameters(model, given, allow_http=self.allow_http)
        expected = estimate(model, parameters)
        wanted = micro_dollars(would_hold(model, parameters))
        foreseen = {"admitted": None, "refusedBy": None}
        if user_id is not None:
            held = None if expected is None else wanted
            foreseen = self.foresee_admission(user_id, model.model_id, held)
        return {
            "modelId": model.model_id,
            "mediaType": model.media_type.value,
            "estimatedCost": plain_text(expected),
            "estimatedTime": estimated_time(model, parameters),
            "wouldHold": str(dollars(wanted)),
            **foreseen,
            "parameters": dict(parameters),
        }
