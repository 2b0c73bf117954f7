"""The use cases of services/submission.

They stand ready while a function starts, so the provider's client is made on its first use: its library
is slow to import.
"""

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from vsl.runtime import observability, wiring
from vsl.runtime.settings import settings

if TYPE_CHECKING:
    from vsl.services.ports.provider import Provider
    from vsl.services.submission.adopt_prediction import AdoptPrediction
    from vsl.services.submission.attach_prediction import AttachPrediction
    from vsl.services.submission.discard_prediction import DiscardPrediction
    from vsl.services.submission.search_predictions import SearchPredictions
    from vsl.services.submission.stop_prediction import StopPrediction
    from vsl.services.submission.submit_prediction import SubmitPrediction


@cache
def submit_prediction() -> "SubmitPrediction":
    from vsl.services.submission.submit_prediction import SubmitPrediction

    provider = provider_with_token()
    return SubmitPrediction(
        tracking=wiring.tracking_store(),
        provider=provider,
        catalogue=wiring.lazily(wiring.catalogue),
        uploads=wiring.lazily(wiring.uploads),
        api_url=lambda: wiring.parameters().get("api-url"),
        clock=wiring.clock,
        grace=grace(),
        adopt=adopt_prediction(provider),
        attach=attach_prediction(provider),
    )


def grace() -> timedelta:
    return timedelta(seconds=settings().submission_grace_seconds)


def provider_with_token() -> "Provider":
    """Its token comes with the first parameter that is read."""
    wiring.replicate_token()
    return wiring.lazily(wiring.provider)


def adopt_prediction(provider: "Provider") -> "AdoptPrediction":
    from vsl.services.submission.adopt_prediction import AdoptPrediction

    return AdoptPrediction(
        wiring.tracking_store(), search_predictions(provider), attach_prediction(provider)
    )


def search_predictions(provider: "Provider") -> "SearchPredictions":
    from vsl.services.submission.search_predictions import SearchPredictions

    return SearchPredictions(wiring.tracking_store(), provider, wiring.clock)


def attach_prediction(provider: "Provider") -> "AttachPrediction":
    from vsl.services.submission.attach_prediction import AttachPrediction

    return AttachPrediction(wiring.tracking_store(), wiring.clock, discard_prediction(provider))


def discard_prediction(provider: "Provider") -> "DiscardPrediction":
    from vsl.services.submission.discard_prediction import DiscardPrediction

    return DiscardPrediction(wiring.tracking_store(), provider, observability.metrics)


def stop_prediction(provider: "Provider") -> "StopPrediction":
    from vsl.services.submission.stop_prediction import StopPrediction

    return StopPrediction(provider)
