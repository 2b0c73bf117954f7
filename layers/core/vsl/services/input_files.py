"""Uploads as inputs of a job: looked at before it is accepted, addressed when it is submitted.

A job keeps the handle. An address is made for each submission anew and lives as long as that
prediction may.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from vsl.domain.catalogue import Model
from vsl.domain.job import Job, MediaType
from vsl.domain.uploads import fault_of, is_handle, upload_id_of
from vsl.domain.validation import invalid_parameters
from vsl.services.ports import Uploads

# Beside the prediction's own time limit, which the provider counts from its side.
ADDRESS_SLACK_SECONDS = 600


def check_uploads(
    job: Job, model: Model, *, uploads: Uploads, limits: Mapping[MediaType, int]
) -> None:
    """Raises InvalidParameters unless every handle leads to a fitting upload of the job's user."""
    faults = {}
    for name, upload_id in _handles(job, model):
        fault = fault_of(
            uploads.find(job.user_id, upload_id),
            job.parameters[name],
            model.parameters[name].media,
            limits,
            job.deadline,
        )
        if fault is not None:
            faults[name] = fault
    if faults:
        raise invalid_parameters(model, faults)


def with_addresses(job: Job, model: Model, *, uploads: Uploads) -> dict[str, Any]:
    """The job's parameters with an address the provider can fetch in the place of each handle."""
    seconds = job.timeout_seconds + ADDRESS_SLACK_SECONDS
    return dict(job.parameters) | {
        name: uploads.address(job.user_id, upload_id, seconds)
        for name, upload_id in _handles(job, model)
    }


def _handles(job: Job, model: Model) -> Iterator[tuple[str, str]]:
    """Name and uploadId of every parameter that is a handle: text may look like one and is none."""
    for name, value in job.parameters.items():
        if model.parameters[name].type == "uri" and is_handle(value):
            yield name, upload_id_of(value)
