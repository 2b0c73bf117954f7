"""What we send fits the models' published inputs, restated in `fixtures/provider_inputs.json`."""

import jsonschema
import pytest

from tests.support.models import MODEL_IDS, catalogue, model, provider_input_schema
from vsl.domain.catalogue.mapping import provider_inputs
from vsl.domain.catalogue.validation import build_provider_input, validate_parameters

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


def test_models_that_are_not_official_are_pinned_to_a_version() -> None:
    for chosen in catalogue().models.values():
        owner = chosen.reference.split("/")[0]
        assert (":" in chosen.reference) is (owner not in _OFFICIAL_OWNERS), chosen.reference
