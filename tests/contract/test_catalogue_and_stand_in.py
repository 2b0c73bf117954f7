"""The catalogue and the Replicate stand-in, written apart, agree about the models."""

import pytest

from devstack.replicate.catalogue import BY_REFERENCE
from devstack.replicate.validation import check_input
from tests.support.models import MODEL_IDS, model, provider_input_schema
from vsl.domain.catalogue.validation import build_provider_input, validate_parameters
from vsl.domain.money.pricing import estimate

_SHAPES = {"string": "single", "array": "list", "object": "object"}


@pytest.mark.parametrize("model_id", MODEL_IDS)
def test_the_stand_in_takes_every_example(model_id: str) -> None:
    chosen = model(model_id)
    name, _, version = chosen.reference.partition(":")
    played = BY_REFERENCE[name]
    sent = build_provider_input(
        chosen, validate_parameters(chosen, chosen.example, allow_http=False)
    )

    check_input(played.interface, sent)

    assert set(sent) <= played.interface.inputs.keys()
    assert played.official is not bool(version)
    assert version in {"", played.version}
    assert _SHAPES[played.interface.output["type"]] == chosen.output


@pytest.mark.parametrize("model_id", MODEL_IDS)
def test_the_stand_in_charges_about_what_we_estimate(model_id: str) -> None:
    chosen = model(model_id)
    valid = validate_parameters(chosen, chosen.example, allow_http=False)
    played = BY_REFERENCE[chosen.reference.partition(":")[0]]
    asked = played.with_defaults(build_provider_input(chosen, valid))

    charged = played.price(asked, 1, played.seconds(asked))

    estimated = estimate(chosen, valid)
    assert chosen.price
    assert estimated
    factor = 1.01 if chosen.price.unit != "gpu_second" else 2
    assert charged / factor <= float(estimated) <= charged * factor


@pytest.mark.parametrize("model_id", MODEL_IDS)
def test_the_stand_in_knows_the_inputs_the_model_has(model_id: str) -> None:
    played = BY_REFERENCE[model(model_id).reference.partition(":")[0]]
    published = set(provider_input_schema(model(model_id))["properties"])

    assert published <= played.interface.inputs.keys()
