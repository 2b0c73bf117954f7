"""What a job asks of the provider, as fixed when the job was accepted.

A job keeps the handle of an upload. Each submission makes a new address, which lives as long as that
prediction may.
"""

from typing import TYPE_CHECKING, Any

from vsl.domain.catalogue.uploads import is_handle, upload_id_of
from vsl.domain.jobs.job import Job
from vsl.domain.jobs.terms import ProviderCall
from vsl.services.ports.media import Uploads

if TYPE_CHECKING:  # slow to import, and only a job of an older version needs it
    from vsl.domain.catalogue.catalogue import Catalogue

# Beside the prediction's own time limit, which the provider counts from its side.
ADDRESS_SLACK_SECONDS = 600


def call_of(job: Job, catalogue: "Catalogue") -> ProviderCall:
    """A job that was accepted before jobs carried their call asks as today's catalogue says."""
    if job.call is not None:
        return job.call
    from vsl.domain.catalogue.mapping import provider_call

    return provider_call(catalogue.find(job.model_id), job.parameters)


def with_addresses(job: Job, call: ProviderCall, uploads: Uploads) -> dict[str, Any]:
    """The job's parameters with an address the provider can fetch in the place of each handle."""
    seconds = job.timeout_seconds + ADDRESS_SLACK_SECONDS

    def address(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [address(member) for member in value]
        if not is_handle(value):
            return value
        return uploads.address(job.user_id, upload_id_of(value), seconds)

    return dict(job.parameters) | {name: address(job.parameters[name]) for name in call.uploads}
