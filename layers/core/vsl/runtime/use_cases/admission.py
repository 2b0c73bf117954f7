"""The use cases of `services.admission`."""

from functools import cache
from typing import TYPE_CHECKING

from vsl.runtime import observability, wiring
from vsl.runtime.handler import edge
from vsl.runtime.settings import settings
from vsl.runtime.use_cases import money

if TYPE_CHECKING:
    from vsl.services.admission.accept_request import AcceptRequest
    from vsl.services.admission.check_rate_limit import CheckRateLimit
    from vsl.services.admission.create_job import CreateJob
    from vsl.services.admission.reject_request import RejectRequest
    from vsl.services.admission.submit_job import SubmitJob


@cache
def accept_request() -> "AcceptRequest":
    from vsl.services.admission.accept_request import AcceptRequest
    from vsl.services.admission.check_prerequisites import CheckPrerequisites
    from vsl.services.admission.make_job import MakeJob
    from vsl.services.admission.shared_key import SharedKey

    catalogue = wiring.lazily(wiring.catalogue)
    return AcceptRequest(
        tracking=wiring.lazily(wiring.tracking_store),
        make_job=MakeJob(catalogue, settings().allow_http_inputs),
        check=CheckPrerequisites(
            catalogue=catalogue,
            uploads=wiring.lazily(wiring.uploads),
            owner_names=wiring.owner_names(),
            upload_limits=settings().max_upload_bytes,
        ),
        edge=edge(),
        shared_key=SharedKey(wiring.lazily(wiring.recent_requests)),
    )


@cache
def check_rate_limit() -> "CheckRateLimit":
    from vsl.domain.api.limits import Limits
    from vsl.services.admission.check_rate_limit import CheckRateLimit

    return CheckRateLimit(
        limits=wiring.rate_limits(),
        repository=wiring.lazily(wiring.job_repository),
        clock=wiring.clock,
        metrics=observability.metrics,
        default=Limits(settings().rate_limit_per_hour, settings().concurrent_jobs),
        queue=wiring.slots(),
        queue_limit=settings().queue_limit,
    )


@cache
def create_job() -> "CreateJob":
    from vsl.services.admission.create_job import CreateJob

    return CreateJob(
        keys=wiring.key_records(),
        repository=wiring.job_repository(),
        tracking=wiring.tracking_store(),
        metrics=observability.metrics,
        publish_alerts=money.publish_alerts(),
    )


@cache
def reject_request() -> "RejectRequest":
    from vsl.services.admission.reject_request import RejectRequest

    return RejectRequest(
        limits=wiring.lazily(wiring.rate_limits), keys=wiring.lazily(wiring.key_records)
    )


@cache
def submit_job() -> "SubmitJob":
    from vsl.services.admission.submit_job import SubmitJob

    return SubmitJob(wiring.api_workflow())
