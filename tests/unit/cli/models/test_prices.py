"""Prices by hand or by hardware, expected times and time limits."""

from typing import Any

import pytest

from cli.models.hardware import hardware_table, rates
from cli.models.translation.entry import Options, RefusedError, propose
from cli.models.translation.prices import PriceOptions, expected_seconds, find_hardware, time_limit
from devstack.paths import MODELS_CONFIG
from tests.support.published import TODAY, proposal, published
from vsl.domain.catalogue.catalogue import Catalogue

TITLES = {key: each.title for key, each in hardware_table().items()}


@pytest.mark.parametrize(
    ("wanted", "key"),
    [
        ("gpu-t4", "gpu-t4"),
        ("t4", "gpu-t4"),
        ("a100-80", "gpu-a100-large"),
        ("A100", "gpu-a100-large"),
        ("8x-a100", "gpu-a100-large-8x"),
        ("h100", "gpu-h100"),
        ("2x l40s", "gpu-2x-l40s"),
        ("a40", "gpu-a40-small"),
        ("cpu", "cpu"),
    ],
)
def test_hardware_is_found_by_its_key_or_by_parts_of_its_name(wanted: str, key: str) -> None:
    assert find_hardware(wanted, TITLES) == key


@pytest.mark.parametrize(
    ("wanted", "said"), [("b200", "is not in"), ("gpu", "could be several"), ("", "is not")]
)
def test_hardware_that_is_not_there_is_refused_with_what_is(wanted: str, said: str) -> None:
    with pytest.raises(ValueError, match=rf"--hardware {wanted} {said}.*gpu-t4"):
        find_hardware(wanted, TITLES)


def test_rates_of_the_table_are_those_of_the_models_priced_by_hand() -> None:
    """One provider, one price page."""
    known = set(rates().values())
    for model in Catalogue.parse(MODELS_CONFIG.read_text()).models.values():
        if model.price is not None and model.price.unit == "gpu_second":
            assert model.price.amount in known, model.model_id


@pytest.mark.parametrize(
    ("given", "price"),
    [
        ({}, None),
        ({"amount": "0.5", "unit": "run"}, {"unit": "run", "amount": "0.5"}),
        (
            {"amount": "0.003", "unit": "image", "count": "n"},
            {"unit": "image", "amount": "0.003", "count": "n"},
        ),
        (
            {"amount": "0.001", "unit": "gpu_second"},
            {"unit": "gpu_second", "amount": "0.001", "predictTime": 12.5},
        ),
        (
            {"hardware": "gpu-t4"},
            {"unit": "gpu_second", "hardware": "gpu-t4", "predictTime": 12.5},
        ),
    ],
)
def test_a_price(given: dict[str, str], price: dict[str, Any] | None) -> None:
    assert PriceOptions(**given).price(12.5) == price


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"amount": "0.5"}, "--price needs --unit"),
        ({"unit": "run"}, "--unit needs --price"),
        ({"count": "n"}, "--count needs --price"),
        ({"amount": "0.5", "unit": "output_second"}, "needs --count"),
        ({"amount": "0.5", "unit": "run", "count": "n"}, "--count does not apply"),
        ({"amount": "0.5", "unit": "run", "hardware": "gpu-t4"}, "give one of them"),
        ({"amount": "free", "unit": "run"}, "--price free"),
        ({"amount": "-1", "unit": "run"}, "--price -1"),
        ({"amount": "NaN", "unit": "run"}, "--price NaN"),
    ],
)
def test_what_makes_no_price_names_the_option(given: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PriceOptions(**given)


def test_times() -> None:
    assert expected_seconds(0.829263399, "image") == (0.83, False)
    assert expected_seconds(289.242321508, "video") == (290.0, False)
    assert expected_seconds(None, "video") == (120.0, True)
    assert time_limit(0.83, official=True) == 300
    assert time_limit(290, official=True) == 1500
    assert time_limit(32, official=False) == 780
    assert time_limit(2000, official=False) == 2400


DURATION = {"duration": {"type": "integer", "default": 5}}


def test_what_a_price_is_counted_by_needs_bounds_and_range_gives_them() -> None:
    price = PriceOptions("0.1", "output_second", "duration")
    with pytest.raises(ValueError, match="duration needs a minimum and a maximum"):
        proposal(published(DURATION), options=Options(price=price))

    bounded = Options(price=price, ranges={"duration": (1, 30)})
    entry = proposal(published(DURATION), options=bounded).entry

    assert entry["parameters"]["duration"] == {
        "type": "integer", "default": 5, "minimum": 1, "maximum": 30,
    }  # fmt: skip
    with pytest.raises(ValueError, match="no parameter lenght"):
        proposal(published(DURATION), options=Options(ranges={"lenght": (1, 2)}))


SEVERAL = {"type": "integer", "default": 1, "minimum": 1, "maximum": 4}
LIST = {"type": "array", "items": {"type": "string", "format": "uri"}}


@pytest.mark.parametrize(
    ("inputs", "output", "count", "said"),
    [
        ({"num_outputs": SEVERAL}, LIST, "num_outputs", "num_outputs asks for several"),
        ({"n": SEVERAL, "num_images": SEVERAL}, LIST, "num_images", "num_images asks"),
        ({"num_outputs": {"type": "integer", "default": 1}}, LIST, None, "makes one image"),
        ({"num_outputs": SEVERAL}, LIST["items"], None, None),
    ],
)
def test_what_asks_for_several_images_counts_them_lest_too_little_is_held(
    inputs: dict[str, Any], output: Any, count: str | None, said: str | None
) -> None:
    options = Options(price=PriceOptions("0.01", "image"))

    made = proposal(published(inputs, output=output), options=options)

    assert made.entry["price"].get("count") == count
    told = [each.message for each in made.guesses if each.parameter == "--count"]
    assert len(told) == (said is not None)
    assert all(said in message for message in told if said)


def test_a_run_that_takes_longer_than_a_job_may_is_refused() -> None:
    example = {"status": "succeeded", "metrics": {"predict_time": 4000}, "output": None}
    with pytest.raises(ValueError, match="timeout: is shorter"):
        proposal(published(example=example))


def test_how_long_an_example_took_counts_only_if_it_came_to_its_end() -> None:
    metrics = {"predict_time": 42.4}
    done = published(example={"status": "succeeded", "metrics": metrics})
    failed = published(example={"status": "failed", "metrics": metrics})

    assert proposal(done).entry["estimatedTime"] == 42
    assert proposal(failed).entry["estimatedTime"] != 42
    assert any(each.parameter == "--seconds" for each in proposal(failed).guesses)


def test_hardware_without_a_rate_and_models_without_a_version_are_refused() -> None:
    with pytest.raises(ValueError, match=r"price\.hardware"):
        propose(published(), "painter", Options(price=PriceOptions(hardware="cpu")), TODAY, {})
    with pytest.raises(RefusedError, match="no number to run it by"):
        proposal(published(version="hidden"))
    assert proposal(published(version="hidden", official=True)).entry["reference"] == "acme/painter"
