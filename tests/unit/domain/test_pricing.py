"""Money: to the micro-dollar, and nothing for what failed."""

from decimal import Decimal
from typing import Any

import pytest

from tests.support.models import MODEL_IDS, model
from vsl.domain.prediction import Outcome, PredictionStatus
from vsl.domain.pricing import actual_cost, estimate, estimated_time, price_document
from vsl.domain.validation import validate_parameters

S = PredictionStatus


def complete(model_id: str, **parameters: Any) -> dict[str, Any]:
    chosen = model(model_id)
    return validate_parameters(chosen, {**chosen.example, **parameters}, allow_http=False)


def outcome(status: PredictionStatus, **more: Any) -> Outcome:
    return Outcome("p1", status, "webhook", **more)


@pytest.mark.parametrize(
    ("model_id", "parameters", "cost"),
    [
        ("flux-schnell", {}, "0.003"),
        ("flux-schnell", {"num_outputs": 3}, "0.009"),
        ("flux-dev", {"num_outputs": 4}, "0.1"),
        ("flux-1.1-pro", {}, "0.04"),
        ("minimax-video-01", {}, "0.5"),
        ("seedance-1-lite", {"resolution": "480p", "duration": 5}, "0.09"),
        ("seedance-1-lite", {"resolution": "1080p", "duration": 12}, "0.864"),
        ("stability-video", {"num_frames": 14}, "0.04508"),
        ("sdxl", {"num_inference_steps": 50}, "0.006338"),
        ("sdxl", {"num_inference_steps": 50, "num_outputs": 2}, "0.0117"),
        ("musicgen", {"duration": 8}, "0.0924"),
        ("bark", {}, "0.010125"),
    ],
)
def test_estimates(model_id: str, parameters: dict[str, Any], cost: str) -> None:
    assert estimate(model(model_id), complete(model_id, **parameters)) == Decimal(cost)


@pytest.mark.parametrize("model_id", MODEL_IDS)
def test_estimates_read_as_plain_decimals(model_id: str) -> None:
    text = str(estimate(model(model_id), complete(model_id)))
    assert "E" not in text
    assert Decimal(text) > 0
    assert len(text.partition(".")[2]) <= 6


@pytest.mark.parametrize("status", [S.FAILED, S.ABORTED])
@pytest.mark.parametrize("model_id", MODEL_IDS)
def test_failed_and_aborted_predictions_are_free(model_id: str, status: PredictionStatus) -> None:
    ended = outcome(status, predict_time=12.5, output_count=1)
    assert actual_cost(model(model_id), complete(model_id), ended) == 0


@pytest.mark.parametrize(
    ("model_id", "ended", "cost"),
    [
        ("musicgen", outcome(S.SUCCEEDED, predict_time=66.371701), "0.09292"),
        ("musicgen", outcome(S.CANCELED, predict_time=0.128148), "0.000179"),
        ("musicgen", outcome(S.CANCELED, predict_time=3e-06), "0"),
        ("musicgen", outcome(S.SUCCEEDED), None),
        ("flux-dev", outcome(S.SUCCEEDED, output_count=3), "0.075"),
        ("flux-dev", outcome(S.SUCCEEDED), "0.1"),
        ("flux-dev", outcome(S.SUCCEEDED, output_count=0, data_removed=True), "0.1"),
        ("flux-dev", outcome(S.CANCELED, output_count=1), "0.025"),
        ("flux-dev", outcome(S.CANCELED, output_count=0), None),
        ("minimax-video-01", outcome(S.SUCCEEDED, output_count=1, predict_time=289.2), "0.5"),
        ("minimax-video-01", outcome(S.CANCELED, predict_time=3), None),
        ("seedance-1-lite", outcome(S.SUCCEEDED, output_count=1), "0.054"),
    ],
)
def test_what_is_charged_in_the_end(model_id: str, ended: Outcome, cost: str | None) -> None:
    more = {"num_outputs": 4} if model_id == "flux-dev" else {}
    charged = actual_cost(model(model_id), complete(model_id, **more), ended)
    assert charged == (None if cost is None else Decimal(cost))


@pytest.mark.parametrize("model_id", ["seedance-1-lite", "flux-dev"])
def test_what_hangs_on_deleted_parameters_cannot_be_known(model_id: str) -> None:
    assert actual_cost(model(model_id), {}, outcome(S.SUCCEEDED)) is None
    assert actual_cost(model(model_id), {}, outcome(S.FAILED)) == 0


def test_estimated_time_grows_with_what_is_asked_for() -> None:
    assert estimated_time(model("musicgen"), complete("musicgen", duration=8)) == 70
    assert estimated_time(model("musicgen"), complete("musicgen", duration=30)) == 246
    assert estimated_time(model("bark"), complete("bark")) == 50


def test_the_price_for_readers() -> None:
    assert price_document(model("flux-schnell")) == {
        "unit": "image",
        "currency": "USD",
        "amount": "0.003",
    }
    assert price_document(model("seedance-1-lite")) == {
        "unit": "output_second",
        "currency": "USD",
        "amount": "0.036",
        "by": "resolution",
        "amounts": {"480p": "0.018", "720p": "0.036", "1080p": "0.072"},
    }
