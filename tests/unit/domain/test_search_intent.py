"""What an entry of the provider's list tells of the prediction that is looked for."""

import pytest

from vsl.adapters.dynamodb.tracking_item import intent_text
from vsl.domain.predictions.prediction import Prediction, PredictionStatus
from vsl.domain.predictions.search import Intent, resembles

TEXT = {"prompt": "a lighthouse"}
DEPLOYED = Intent.of("claim", "deployments/acme/fox-writer", TEXT)
VERSION = "a" * 64


def entry(**facts: str) -> Prediction:
    return Prediction("id", PredictionStatus.STARTING, input=TEXT, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "facts",
    [
        {"deployment": "acme/fox-writer", "model": "acme/any", "version": VERSION},
        {"deployment": "fox-writer", "version": "dp-" + "b" * 32},
        {"model": "acme/another", "version": VERSION},  # the provider need not tell the deployment
        {},
    ],
)
def test_a_deployment_may_run_any_model_and_version(facts: dict[str, str]) -> None:
    assert resembles(entry(**facts), DEPLOYED)


def test_another_deployment_is_another() -> None:
    assert not resembles(entry(deployment="acme/owl-writer"), DEPLOYED)


def test_a_deployment_of_another_text_is_another() -> None:
    other = Intent.of("claim", "deployments/acme/fox-writer", {"prompt": "a fox"})
    assert not resembles(entry(deployment="acme/fox-writer"), other)


@pytest.mark.parametrize("reference", ["acme/fox", f"acme/fox:{VERSION}"])
def test_a_model_that_is_told_differently_is_another(reference: str) -> None:
    intent = Intent.of("claim", reference, TEXT)
    told = {"version": VERSION} if ":" in reference else {"model": "acme/fox"}
    assert resembles(entry(**told), intent)
    assert not resembles(entry(model="acme/owl", version="c" * 64), intent)


def test_an_intent_is_written_in_a_few_bytes() -> None:
    assert len(intent_text(DEPLOYED)) < 40
