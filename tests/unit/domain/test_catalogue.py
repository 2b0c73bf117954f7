"""The catalogue file: the seed's models as asked for, and every fault named by its path."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.models import CATALOGUE_PATH, catalogue, model
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.validation import validate_parameters
from vsl.domain.errors import ConfigurationError, InvalidRequest, UnknownModel
from vsl.domain.jobs.job import MediaType

Document = dict[str, Any]

SEED: dict[str, Document] = {
    "stability-video": {
        "mediaType": "video",
        "parameters": ["image", "motion_bucket_id", "fps", "num_frames"],
        "defaults": {"motion_bucket_id": 127, "fps": 24, "num_frames": 25},
    },
    "flux-schnell": {
        "mediaType": "image",
        "parameters": ["prompt", "width", "height", "num_outputs"],
        "defaults": {"width": 1024, "height": 1024, "num_outputs": 1},
    },
    "sdxl": {
        "mediaType": "image",
        "parameters": ["prompt", "negative_prompt", "width", "height", "num_inference_steps"],
        "defaults": {"width": 1024, "height": 1024, "num_inference_steps": 50},
    },
    "musicgen": {
        "mediaType": "audio",
        "parameters": ["prompt", "duration", "temperature", "top_k", "top_p"],
        "defaults": {"duration": 8, "temperature": 1.0, "top_k": 250, "top_p": 0.0},
    },
}


@pytest.mark.parametrize("model_id", SEED)
def test_the_first_four_models_keep_their_public_parameters_and_defaults(model_id: str) -> None:
    seed = SEED[model_id]
    found = model(model_id)

    assert found.media_type == seed["mediaType"]
    assert set(seed["parameters"]) <= set(found.parameters)
    validated = validate_parameters(found, found.example, allow_http=False)
    for name, default in seed["defaults"].items():
        assert found.parameters[name].default == default
        assert validated[name] == found.example.get(name, default)


def test_an_unknown_model_names_the_nearest() -> None:
    with pytest.raises(UnknownModel) as raised:
        catalogue().find("Flux-Schnel")

    assert "Did you mean 'flux-schnell'" in raised.value.message
    assert "musicgen" in raised.value.message


def test_an_unknown_model_of_a_kind_lists_that_kind() -> None:
    with pytest.raises(UnknownModel) as raised:
        catalogue().find("qqqq", MediaType.AUDIO)

    assert raised.value.message == (
        "There is no model of this id. Available: musicgen, stable-audio-open, bark."
    )


def test_a_media_type_must_be_the_model_s() -> None:
    assert catalogue().find("sdxl", MediaType.IMAGE).model_id == "sdxl"
    with pytest.raises(InvalidRequest) as raised:
        catalogue().find("sdxl", MediaType.VIDEO)

    assert raised.value.details["fields"] == [
        {"field": "mediaType", "message": "sdxl makes image, not video"}
    ]


def _put(path: str, value: object) -> Callable[[Document], None]:
    def edit(document: Document) -> None:
        *parents, last = path.split("/")
        for name in parents:
            document = document[name]
        document[last] = value

    return edit


def _drop(path: str) -> Callable[[Document], None]:
    def edit(document: Document) -> None:
        *parents, last = path.split("/")
        for name in parents:
            document = document[name]
        del document[last]

    return edit


_SCHNELL = "image/flux-schnell"


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (_put(f"{_SCHNELL}/parameters/width/minimum", "256"), "parameters.width.minimum: "),
        (_put(f"{_SCHNELL}/parameters/width/minimun", 256), "parameters.width.minimun: Extra"),
        (_put(f"{_SCHNELL}/parameters/width/type", "int"), "parameters.width.type: "),
        (_put(f"{_SCHNELL}/parameters/width/default", 64), "parameters.width.default: must be bet"),
        (_put(f"{_SCHNELL}/parameters/width/minimum", 2000), "parameters.width.minimum: 2000 is ab"),
        (_put(f"{_SCHNELL}/parameters/width/minimum", 0.5), "parameters.width.minimum: must be a"),
        (_drop(f"{_SCHNELL}/parameters/width/maximum"), "parameters.width.maximum: a parameter of"),
        (_put(f"{_SCHNELL}/parameters/width/maxLength", 5), "parameters.width.maxLength: does not"),
        (_put(f"{_SCHNELL}/parameters/prompt/default", "x"), "parameters.prompt.default: a required"),
        (_put(f"{_SCHNELL}/parameters/prompt/minimum", 1), "parameters.prompt.minimum: does not ap"),
        (_put(f"{_SCHNELL}/parameters/prompt/multipleOf", 2), "parameters.prompt.multipleOf: applie"),
        (_put(f"{_SCHNELL}/parameters/output_format/enum", ["webp", 3]), "output_format.enum.1: must"),
        (_put(f"{_SCHNELL}/parameters/seed/input", "num_outputs"), "parameters.seed: parameters.num"),
        (_put(f"{_SCHNELL}/derived/megapixels/from", ["width", "depth"]), "derived.megapixels.from: "),
        (_put(f"{_SCHNELL}/derived/megapixels/transform", "x"), "derived.megapixels.transform: "),
        (_put(f"{_SCHNELL}/derived/megapixels/from", ["width", "prompt"]), "prompt is no number"),
        (_put(f"{_SCHNELL}/derived/megapixels/from", ["width", "seed"]), "seed needs a default"),
        (_put(f"{_SCHNELL}/price/amount", 0.003), "price.amount: "),
        (_put(f"{_SCHNELL}/price/amount", "-1"), "price.amount: "),
        (_put(f"{_SCHNELL}/price/amount", "NaN"), "price.amount: "),
        (_drop(f"{_SCHNELL}/price/amount"), "price: needs either amount or amounts"),
        (_put(f"{_SCHNELL}/price/by", "output_format"), "price: amounts and by belong together"),
        (_put(f"{_SCHNELL}/price/count", "images"), "price.count: there is no parameter images"),
        (_put(f"{_SCHNELL}/price/unit", "run"), "price.count: does not apply"),
        (_put(f"{_SCHNELL}/price/predictTime", 3), "price.predictTime: belongs to"),
        (_drop("audio/musicgen/price/predictTime"), "price.predictTime: belongs to"),
        (_drop("video/seedance-1-lite/price/count"), "price.count: must name the parameter"),
        (_drop("video/seedance-1-lite/price/amounts/480p"), "price.amounts: must price exactly"),
        (_drop("video/seedance-1-lite/parameters/resolution/default"), "price.by: resolution needs"),
        (_put("video/stability-video/parameters/num_frames/values", {"14": "a"}), "frames.values: mus"),
        (_put("audio/musicgen/estimatedTime", {"base": 1, "per": 2}), "estimatedTime: per and of"),
        (_put("audio/musicgen/timeout", 30), "timeout: is shorter than the estimated time"),
        (_put("audio/musicgen/timeout", 999_999), "timeout: "),
        (_put("audio/musicgen/reference", "musicgen"), "reference: "),
        (_put("audio/musicgen/example", {"duration": 99}), "example: "),
        (_put("image/musicgen", json.loads(CATALOGUE_PATH.read_text())["audio"]["musicgen"]), "is als"),
        (_put("image/sdxl/parameters/mask/requires", "picture"), "mask.requires: there is no param"),
        (_put("text", {}), "text: "),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_its_path(edit: Callable[[Document], None], fault: str) -> None:
    document = json.loads(CATALOGUE_PATH.read_text(encoding="utf-8"))
    edit(document)

    with pytest.raises(ConfigurationError) as raised:
        Catalogue.parse(json.dumps(document))

    faults = raised.value.details["faults"]
    assert isinstance(faults, list)
    assert any(fault in line for line in faults), faults


def test_the_path_is_complete() -> None:
    document = json.loads(CATALOGUE_PATH.read_text(encoding="utf-8"))
    document["image"]["flux-schnell"]["parameters"]["width"]["minimum"] = "256"
    document["image"]["flux-schnell"]["parameters"]["Bad-Name"] = {"type": "string"}

    with pytest.raises(ConfigurationError) as raised:
        Catalogue.parse(json.dumps(document))

    message = raised.value.message
    assert "image.flux-schnell.parameters.width.minimum: Input should be a valid" in message
    assert "image.flux-schnell.parameters.Bad-Name: String should match pattern" in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not JSON"),
        ("[]", "catalogue: "),
        ("{}", "has no models"),
        ('{"image": {}, "image": {}}', "image: appears twice"),
        ('{"image": {"m": {"timeout": NaN}}}', "image.m."),
    ],
)
def test_a_text_that_is_no_catalogue(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Catalogue.parse(text)
