"""What a job would cost and how long it would take, without making it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vsl.domain.api.request import folded_parameters, read_priority
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.validation import validate_parameters
from vsl.domain.errors import InvalidRequest
from vsl.domain.jobs.flow import flow_for
from vsl.domain.jobs.place import NO_PLACE
from vsl.domain.money.amounts import dollars, micro_dollars, plain_text
from vsl.domain.money.pricing import estimate, estimated_time, would_hold
from vsl.services.money.foresee_admission import ForeseeAdmission
from vsl.services.ports.pacing import QueueView
from vsl.services.ports.system import Clock


@dataclass(frozen=True, slots=True)
class EstimateJob:
    catalogue: Catalogue
    allow_http: bool
    foresee_admission: ForeseeAdmission
    queue: QueueView
    clock: Clock

    def __call__(
        self, model_id: str, body: Mapping[str, Any], user_id: str | None
    ) -> dict[str, Any]:
        """The public document: US dollars, seconds, and the parameters with their defaults filled in.
        Where the user is known, it says whether the budgets would admit the job. The place in the queue for
        the provider is that of a job submitted now; unknown while Redis is away.

        Raises UnknownModel, InvalidRequest and InvalidParameters: as a job, what passes here is
        refused only for its user's limits or an upload that is not there.
        """
        model = self.catalogue.find(model_id)
        given, faults = folded_parameters(body)
        priority = read_priority(body, faults)
        if faults:
            raise InvalidRequest.of(faults.items())
        parameters = validate_parameters(model, given, allow_http=self.allow_http)
        expected = estimate(model, parameters)
        wanted = micro_dollars(would_hold(model, parameters))
        flow = flow_for(user_id or "", priority)
        now = self.clock.now()
        outlook = self.queue.outlook(flow, now)
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
            **(outlook.place.document(now) if outlook else NO_PLACE),
            "parameters": dict(parameters),
        }
