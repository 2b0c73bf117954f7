"""The use cases of `services.compat`: the protocols of others."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from vsl.runtime import wiring
from vsl.runtime.settings import settings
from vsl.runtime.use_cases import admission, api, reading

if TYPE_CHECKING:
    from vsl.domain.api.caller import Caller
    from vsl.services.compat.create_prediction import CreatePrediction
    from vsl.services.compat.describe_models import DescribeModels
    from vsl.services.compat.keep_files import KeepFiles
    from vsl.services.compat.prediction_webhook import PredictionWebhook
    from vsl.services.compat.read_predictions import (
        CancelPrediction,
        GetPrediction,
        ListPredictions,
    )
    from vsl.services.compat.show_predictions import ShowPredictions


@cache
def show_predictions() -> "ShowPredictions":
    from vsl.services.compat.show_predictions import ShowPredictions

    return ShowPredictions(
        wiring.lazily(wiring.catalogue),
        wiring.lazily(wiring.prediction_queries),
        wiring.lazily(wiring.stored_texts),
    )


@cache
def create_prediction() -> "CreatePrediction":
    from vsl.services.compat.create_prediction import CreatePrediction

    return CreatePrediction(
        submit=admission.submit_job(),
        wait_for_job=reading.wait_for_job(),
        status=_status(),
        show=show_predictions(),
        allow_http=settings().allow_http_inputs,
    )


@cache
def get_prediction() -> "GetPrediction":
    from vsl.services.compat.read_predictions import GetPrediction

    return GetPrediction(_status(), show_predictions())


@cache
def list_predictions() -> "ListPredictions":
    from vsl.services.compat.read_predictions import ListPredictions

    return ListPredictions(reading.list_jobs(), show_predictions())


@cache
def cancel_prediction() -> "CancelPrediction":
    from vsl.services.compat.read_predictions import CancelPrediction

    return CancelPrediction(api.cancel_job(), reading.wait_for_job(), get_prediction())


@cache
def prediction_webhook() -> "PredictionWebhook":
    from vsl.domain.compat.replicate_request import ROOT
    from vsl.services.compat.prediction_webhook import PredictionWebhook

    def address() -> str:
        return wiring.parameters().get("api-url").rstrip("/") + ROOT

    return PredictionWebhook(show_predictions(), address)


@cache
def describe_models() -> "DescribeModels":
    from vsl.services.compat.describe_models import DescribeModels

    return DescribeModels(wiring.lazily(wiring.catalogue))


@cache
def keep_files() -> "KeepFiles":
    from vsl.services.compat.keep_files import KeepFiles

    return KeepFiles(
        files=wiring.user_files(),
        clock=wiring.clock,
        upload_limits=settings().max_upload_bytes,
        sniff=wiring.content_type,
    )


@cache
def _status() -> "Callable[[str, Caller], Mapping[str, Any]]":
    """The public status of a job, as it stands."""
    read, show = reading.read_status(), reading.show_status()

    def status(job_id: str, caller: "Caller") -> Mapping[str, Any]:
        return show(read(job_id, caller), wiring.clock.now())

    return status
