"""The use cases of services/api."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from vsl.runtime import wiring
from vsl.runtime.settings import settings
from vsl.runtime.use_cases import waiting

if TYPE_CHECKING:
    from vsl.services.api.cancel_job import CancelJob
    from vsl.services.api.create_upload import CreateUpload
    from vsl.services.api.delete_job import DeleteJob
    from vsl.services.api.describe_api import DescribeApi
    from vsl.services.api.erase_job import EraseJob
    from vsl.services.api.get_model import GetModel
    from vsl.services.api.get_operations import GetOperations
    from vsl.services.api.list_models import ListModels
    from vsl.services.api.sweep_job import SweepJob


@cache
def cancel_job() -> "CancelJob":
    from vsl.services.api.cancel_job import CancelJob

    return CancelJob(
        tracking=wiring.tracking_store(),
        provider=wiring.provider(),
        complete_wait=waiting.complete_wait(),
        record_outcome=waiting.record_outcome(),
        clock=wiring.clock,
    )


@cache
def delete_job() -> "DeleteJob":
    from vsl.services.api.delete_job import DeleteJob

    return DeleteJob(
        repository=wiring.job_repository(),
        erasure=wiring.erasure(),
        tracking=wiring.tracking_store(),
        erase=_erase_job(),
    )


@cache
def sweep_job() -> "SweepJob":
    from vsl.services.api.sweep_job import SweepJob

    return SweepJob(
        repository=wiring.job_repository(),
        erasure=wiring.erasure(),
        tracking=wiring.tracking_store(),
        erase=_erase_job(),
        clock=wiring.clock,
    )


@cache
def _erase_job() -> "EraseJob":
    from vsl.services.api.erase_job import EraseJob

    return EraseJob(
        repository=wiring.job_repository(),
        erasure=wiring.erasure(),
        tracking=wiring.tracking_store(),
        objects=wiring.lazily(wiring.object_removal),
        limits=wiring.rate_limits(),
        cache=wiring.status_cache(),
        clock=wiring.clock,
    )


@cache
def create_upload() -> "CreateUpload":
    from vsl.services.api.create_upload import CreateUpload

    return CreateUpload(wiring.uploads(), wiring.clock, settings().max_upload_bytes)


@cache
def get_operations() -> "GetOperations":
    from vsl.services.api.get_operations import GetOperations

    return GetOperations(
        operations=wiring.lazily(wiring.operations),
        tracking=wiring.lazily(wiring.tracking_store),
        queue=wiring.lazily(wiring.slots),
        health=wiring.lazily(wiring.service_health),
        clock=wiring.clock,
    )


@cache
def list_models() -> "ListModels":
    from vsl.services.api.list_models import ListModels

    return ListModels(wiring.lazily(wiring.catalogue))


@cache
def get_model() -> "GetModel":
    from vsl.services.api.get_model import GetModel

    return GetModel(wiring.lazily(wiring.catalogue), settings().allow_http_inputs)


def describe_api(document: Mapping[str, Any]) -> "DescribeApi":
    from vsl.services.api.describe_api import DescribeApi

    return DescribeApi(document, settings().api_auth)
