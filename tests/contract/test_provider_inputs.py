"""What we send fits the models' published inputs, restated in `fixtures/provider_inputs.json`."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support.models import MODEL_IDS, catalogue, model, provider_input_schema
from vsl.domain.catalogue.mapping import provider_inputs
from vsl.domain.catalogue.validation import build_provider_input, validate_parameters
from vsl.domain.compat import replicate_models
from vsl.domain.compat.replicate_input import parameters_of

# `default_example.input` of the models' versions, as npm's all-the-public-replicate-models 1.352.0 has them.
EXAMPLES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "fixtures" / "provider_examples.json").read_text()
)
_OFFICIAL_OWNERS = {"black-forest-labs", "minimax", "bytedance"}


@pytest.mark.parametrize("model_id", MODEL_IDS)
def test_the_example_becomes_an_input_the_provider_takes(model_id: str) -> None:
    chosen = model(model_id)
    valid = validate_parameters(chosen, chosen.example, allow_http=False)

    sent = build_provider_input(chosen, valid)

    jsonschema.Draft202012Validator(provider_input_schema(chosen)).validate(sent)


@pytest.mark.parametrize("model_id", MODEL_IDS)
def test_every_parameter_reaches_an_input_that_exists(model_id: str) -> None:
    chosen = model(model_id)
    known = set(provider_input_schema(chosen)["properties"])

    for name in chosen.parameters:
        targets = provider_inputs(chosen, name)
        assert targets
        assert set(targets) <= known
    assert set(chosen.fixed) <= known


@pytest.mark.parametrize("reference", EXAMPLES)
def test_the_models_own_example_is_taken_and_sent_as_it_is(reference: str) -> None:
    """What people's code sends: the input that the provider's page of the model shows."""
    (chosen,) = [
        each for each in catalogue().models.values() if replicate_models.slug_of(each) == reference
    ]
    example = EXAMPLES[reference]

    parameters, faults = parameters_of(chosen, example, [], allow_http=False)

    assert not faults
    valid = validate_parameters(chosen, parameters, allow_http=False)
    sent = build_provider_input(chosen, valid)
    jsonschema.Draft202012Validator(provider_input_schema(chosen)).validate(sent)
    assert {name: sent[name] for name in example} == example


def test_every_model_with_a_published_example_has_one_here() -> None:
    known = {replicate_models.slug_of(each) for each in catalogue().models.values()}
    assert known - EXAMPLES.keys() == {"bytedance/seedance-1-lite"}


def test_models_that_are_not_official_are_pinned_to_a_version() -> None:
    for chosen in catalogue().models.values():
        owner = chosen.reference.split("/")[0]
        assert (":" in chosen.reference) is (owner not in _OFFICIAL_OWNERS), chosen.reference
