"""Every shape that published schemas have becomes an entry without a fault, or a refusal by name."""

import pytest

from cli.models.catalogue_text import put_entry
from cli.models.translation.compare import compare
from cli.models.translation.entry import RefusedError
from cli.models.translation.merge import merged
from devstack.replicate.schemas.interface import Interface
from devstack.replicate.validation import check_input
from tests.support.provider_fixtures import ProviderModel, provider_models
from tests.support.published import RATES, proposal, published_fixture
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.validation import build_provider_input, validate_parameters


def _named(expected: str) -> list[object]:
    models = [each for each in provider_models() if each["expect"] == expected]
    return [pytest.param(each, id=f"{each['owner']}/{each['name']}") for each in models]


@pytest.mark.parametrize("model", _named("served"))
def test_a_model_becomes_an_entry(model: ProviderModel) -> None:
    made = proposal(published_fixture(model), model["name"].lower())

    left_out = sorted((each.input or "", each.why) for each in made.left_out)
    assert left_out == sorted(
        (each["input"] or "", each["why"]) for each in model.get("left_out", [])
    )
    expected = model.get("expected_output", {"shape": made.entry["output"]})
    assert made.entry["output"] == expected["shape"]
    assert made.media == expected.get("media", made.media)
    offered = {str(each.get("input", name)) for name, each in made.entry["parameters"].items()}
    missing = {each["input"] for each in model.get("left_out", [])}
    inputs = model["openapi_schema"]["components"]["schemas"]["Input"].get("properties", {})
    assert offered == set(inputs) - missing


@pytest.mark.parametrize("model", _named("served"))
def test_the_provider_takes_an_entrys_example(model: ProviderModel) -> None:
    """Through the file, the catalogue's rules and the mapping, as a job's request goes."""
    made = proposal(published_fixture(model), "it")
    text = put_entry("{}", made.media, made.model_id, made.entry)
    chosen = Catalogue.parse(text, RATES).find("it")

    valid = validate_parameters(chosen, chosen.example, allow_http=False)
    sent = build_provider_input(chosen, valid)

    check_input(Interface(model["openapi_schema"]), sent)


@pytest.mark.parametrize("model", _named("served"))
def test_an_entry_is_up_to_date_with_the_model_it_was_made_from(model: ProviderModel) -> None:
    published = published_fixture(model)
    made = proposal(published)
    by_hand = {key: value for key, value in made.entry.items() if key != "source"}

    assert compare(made.entry, published) == []
    assert compare(by_hand, published) == []
    assert merged(made.entry, made, published) == made.entry
    assert merged(by_hand, made, published) == made.entry


@pytest.mark.parametrize("model", _named("refused"))
def test_a_model_that_cannot_be_served_is_refused_by_name(model: ProviderModel) -> None:
    with pytest.raises(RefusedError) as caught:
        proposal(published_fixture(model))

    expected = model["refused"]
    reasons = [(each.input, each.why) for each in caught.value.obstacles]
    assert (expected["input"], expected["why"]) in reasons
    if expected["input"] is not None:
        assert expected["input"] in str(caught.value)


def test_there_are_enough_of_both() -> None:
    assert len(_named("served")) >= 60
    assert len(_named("refused")) >= 8
