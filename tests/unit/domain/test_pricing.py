"""Money: to the micro-dollar, and nothing for what failed."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.support.jobs import make_asset
from tests.support.models import MODEL_IDS, model
from vsl.domain.catalogue.validation import validate_parameters
from vsl.domain.money.pricing import (
    actual_cost,
    delivered,
    estimate,
    estimated_time,
    price_document,
)
from vsl.domain.predictions.prediction import Outcome, Prediction, PredictionStatus

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
        ("flux-dev", outcome(S.SUCCEEDED, output_count=0), "0"),
        ("flux-dev", outcome(S.CANCELED, output_count=0), "0"),
        ("flux-dev", outcome(S.CANCELED), None),
        ("minimax-video-01", outcome(S.SUCCEEDED, output_count=1, predict_time=289.2), "0.5"),
        ("minimax-video-01", outcome(S.SUCCEEDED, output_count=0, predict_time=289.2), "0"),
        ("minimax-video-01", outcome(S.CANCELED, predict_time=3), None),
        ("minimax-video-01", outcome(S.CANCELED, output_count=0), "0"),
        ("minimax-video-01", outcome(S.SUCCEEDED, output_count=0, data_removed=True), "0.5"),
        ("seedance-1-lite", outcome(S.SUCCEEDED, output_count=0), "0"),
        ("musicgen", outcome(S.SUCCEEDED, output_count=0, predict_time=66.371701), "0.09292"),
        ("seedance-1-lite", outcome(S.SUCCEEDED, output_count=1), "0.054"),
    ],
)
def test_what_is_charged_in_the_end(model_id: str, ended: Outcome, cost: str | None) -> None:
    more = {"num_outputs": 4} if model_id == "flux-dev" else {}
    charged = actual_cost(model(model_id), complete(model_id, **more), ended)
    assert charged == (None if cost is None else Decimal(cost))


@pytest.mark.parametrize("output", [None, [], [None] * 4, {}, "a cat", 4, [[], {"text": "none"}]])
def test_nothing_delivered_is_nothing_charged(output: object) -> None:
    """`num_outputs: 4` were asked for, and the checker took them all."""
    body = {"id": "p1", "status": "succeeded", "output": output}
    ended = Outcome.of(Prediction.parse(body), "webhook")
    assert actual_cost(model("flux-dev"), complete("flux-dev", num_outputs=4), ended) == 0


@pytest.mark.parametrize(
    ("types", "images"),
    [
        (["image/png", "image/webp"], 2),
        (["image/png", "text/html", "application/json"], 1),
        (["application/octet-stream"], 1),
    ],
)
def test_what_is_no_image_is_not_charged_as_one(types: list[str], images: int) -> None:
    """A model of images may add a page, or its settings; an unreadable picture was paid."""
    assets = tuple(replace(make_asset(n), content_type=kind) for n, kind in enumerate(types))
    ended = delivered(outcome(S.SUCCEEDED, output_count=7), assets)
    assert ended.output_count == images
    cost = actual_cost(model("flux-dev"), complete("flux-dev", num_outputs=4), ended)
    assert cost == Decimal("0.025") * images


def test_an_absurd_count_costs_nothing_that_no_account_holds() -> None:
    ended = outcome(S.SUCCEEDED, output_count=10**9)
    assert actual_cost(model("flux-dev"), complete("flux-dev"), ended) is None


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
