"""The provider's input becomes parameters, and those the very same input again."""

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.models import MODEL_IDS, model
from vsl.domain.catalogue.mapping import direct_inputs, provider_call
from vsl.domain.catalogue.models import Model, Parameter
from vsl.domain.catalogue.validation import validate_parameters
from vsl.domain.compat.replicate_input import as_sent, parameters_of
from vsl.domain.jobs.ids import new_job_id

API = "https://api.example.com/replicate/v1"


def translated(model_id: str, sent: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    parameters, faults = parameters_of(model(model_id), sent, [API], allow_http=False)
    return parameters, [fault.field for fault in faults]


def value_of(parameter: Parameter) -> st.SearchStrategy[Any]:
    """Any value that the provider's input of this parameter may have."""
    offered = list((parameter.values or {}).values()) or parameter.enum
    if offered is not None:
        return st.sampled_from(list(offered))
    if parameter.type == "array":
        return st.lists(value_of(parameter.member()), max_size=2)
    if parameter.value_type == "uri":
        return st.just("https://example.com/a.png")
    if parameter.type == "boolean":
        return st.booleans()
    if parameter.type == "string":
        return st.text("abc ü", min_size=1, max_size=20).filter(str.strip)
    low, high = int(parameter.minimum or 0), int(parameter.maximum or 1000)
    step = parameter.multiple_of or 1
    whole = st.integers(-(-low // step), high // step).map(lambda each: each * step)
    fractions = st.floats(parameter.minimum or 0, parameter.maximum or 1000)
    return fractions if parameter.type == "number" else whole


def inputs_of(made: Model) -> st.SearchStrategy[dict[str, Any]]:
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    needing = {name for name, each in made.parameters.items() if each.requires}
    for name, target in direct_inputs(made).items():
        parameter = made.parameters[name]
        if name not in needing:
            place = required if parameter.required else optional
            place[target] = value_of(parameter)
    optional |= {
        target: st.sampled_from(list(derived.choices)) for target, derived in made.derived.items()
    }
    optional |= {target: st.just(value) for target, value in made.fixed.items()}
    return st.fixed_dictionaries(required, optional=optional)


@pytest.mark.parametrize("model_id", MODEL_IDS)
@given(data=st.data())
def test_what_is_taken_maps_back_to_the_very_same_input(model_id: str, data: Any) -> None:
    made = model(model_id)
    sent = data.draw(inputs_of(made))
    parameters, faults = parameters_of(made, sent, [API], allow_http=False)
    assert not faults
    valid = validate_parameters(made, parameters, allow_http=False)
    provided = provider_call(made, valid).input(valid)
    assert {name: provided[name] for name in sent} == sent
    assert as_sent(made, valid, list(sent), API) == sent


@pytest.mark.parametrize("model_id", ["flux-schnell", "flux-dev"])
def test_every_ratio_in_every_size_can_be_asked_for(model_id: str) -> None:
    derived = model(model_id).derived
    for ratio, megapixels in product(*(each.choices for each in derived.values())):
        sent = dict(zip(derived, (ratio, megapixels), strict=True))
        parameters, faults = translated(model_id, {"prompt": "x", **sent})
        assert not faults, sent
        assert provider_call(model(model_id), parameters).values.items() >= sent.items()


def test_what_cannot_be_expressed_is_named_as_the_provider_names_it() -> None:
    for sent, fields in (
        ({"aspect_ratio": "17:3"}, ["input.aspect_ratio"]),
        ({"aspect_ratio": 1}, ["input.aspect_ratio"]),
        ({"unheard_of": True}, ["input"]),
        ({"go_fast": "yes"}, ["input.go_fast"]),
        ({"disable_safety_checker": True}, ["input.disable_safety_checker"]),
        ({"num_outputs": 9}, ["input.num_outputs"]),
        ({"num_outputs": "1"}, ["input.num_outputs"]),
    ):
        assert translated("flux-schnell", {"prompt": "x", **sent})[1] == fields, sent
    assert translated("flux-schnell", {})[1] == ["input"]
    assert translated(
        "stability-video", {"input_image": "https://a.example/b.png", "video_length": 25}
    )[1] == ["input.video_length"]
    assert translated("flux-1.1-pro", {"prompt": "x", "aspect_ratio": "21:9"})[1] == [
        "input.aspect_ratio"
    ]


def test_a_file_of_the_protocol_is_an_upload_and_shown_as_the_file_again() -> None:
    upload = new_job_id(datetime(2026, 3, 1, tzinfo=UTC))
    sent = {"input_image": f"{API}/files/{upload}"}
    parameters, faults = translated("stability-video", sent)
    assert (parameters["image"], faults) == (f"upload:{upload}", [])
    valid = validate_parameters(model("stability-video"), parameters, allow_http=False)
    assert as_sent(model("stability-video"), valid, ["input_image"], API) == sent


@pytest.mark.parametrize(
    "address", ["https://other.example/replicate/v1/files/{}", f"{API}/files/nothing"]
)
def test_another_address_stays_one(address: str) -> None:
    upload = "019ca945-0afa-70d8-98e0-985ecc7f6041"
    parameters, _ = translated("stability-video", {"input_image": address.format(upload)})
    assert parameters["image"] == address.format(upload)


def test_without_the_model_the_parameters_are_shown_as_they_are() -> None:
    assert as_sent(None, {"prompt": "x", "image": "upload:y"}, ["prompt"], API) == {
        "prompt": "x",
        "image": "upload:y",
    }
