"""The catalogue file: the seed's models as asked for, and every fault named by its path."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.support.models import CATALOGUE_PATH, catalogue, model
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.hardware import rates_of
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
        (_drop(f"{_SCHNELL}/parameters/num_outputs/maximum"), "price.count: num_outputs needs a min"),
        (_drop(f"{_SCHNELL}/parameters/width/minimum"), "megapixels.from: width needs a minimum and"),
        (_drop("audio/musicgen/parameters/duration/maximum"), "estimatedTime.of: duration needs a m"),
        (_put("audio/musicgen/parameters/duration/nullable", True), "duration must not be nullable"),
        (_put("audio/musicgen/parameters/prompt/media", "image"), "prompt.media: does not apply to a"),
        (_put("image/sdxl/parameters/mask/media", "text"), "mask.media: must be one of audio, image"),
        (_put(f"{_SCHNELL}/parameters/width/items", "integer"), "width.items: does not apply to a"),
        (_put(f"{_SCHNELL}/parameters/width/maxItems", 2), "width.maxItems: does not apply to a"),
        (_put(f"{_SCHNELL}/parameters/refs", {"type": "array"}), "refs.items: an array needs the type"),
        (_put(f"{_SCHNELL}/parameters/refs", {"type": "array", "items": "uri", "minItems": 200}),
            "refs.minItems: 200 is above the maximum 100"),
        (_put(f"{_SCHNELL}/parameters/refs", {"type": "array", "items": "string", "maximum": 2}),
            "refs.maximum: does not apply to a parameter of type array with items of type string"),
        (_put(f"{_SCHNELL}/parameters/refs", {"type": "array", "items": "integer", "enum": [1, "2"]}),
            "refs.enum.1: must be a whole number, not text"),
        (_put(f"{_SCHNELL}/parameters/refs", {"type": "array", "items": "string", "enum": ["a"],
            "values": {"a": "b"}}), "refs.values: does not apply to a parameter of type array"),
        (_put(f"{_SCHNELL}/parameters/refs", {"type": "array", "items": "string", "default": ["a", 2]}),
            "refs.default: member 1 must be text, not 2"),
        (_put(f"{_SCHNELL}/parameters/refs", {"type": "string", "input": "2nd"}), "refs.input: String"),
        (_put(f"{_SCHNELL}/price/hardware", "gpu-t4"), "price: needs one of amount, amounts and har"),
        (_put(f"{_SCHNELL}/reference", "deployments/acme/fox:" + "a" * 64), "reference: String should"),
        (_put("audio/musicgen/source", {"official": True}), "source.readAt: Field required"),
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
        (_drop(f"{_SCHNELL}/price/amount"), "price: needs one of amount, amounts and hardware"),
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
        (_put("script", {}), "script: "),
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


RATES = rates_of('{"gpu-t4": {"title": "Nvidia T4", "perSecond": "0.000225"}}')


def _by_hardware(name: str) -> str:
    document = json.loads(CATALOGUE_PATH.read_text(encoding="utf-8"))
    price = document["audio"]["musicgen"]["price"]
    del price["amount"]
    price["hardware"] = name
    return json.dumps(document)


def test_hardware_stands_for_its_rate() -> None:
    priced = Catalogue.parse(_by_hardware("gpu-t4"), RATES).models["musicgen"]

    assert priced.price is not None
    assert priced.price.amount_for({}) == Decimal("0.000225")


def test_hardware_of_no_known_rate_is_named() -> None:
    with pytest.raises(ConfigurationError, match="hardware: the table of rates has gpu-t4"):
        Catalogue.parse(_by_hardware("gpu-z9"), RATES)
    with pytest.raises(ConfigurationError, match="hardware: the table of rates has no hardware"):
        Catalogue.parse(_by_hardware("gpu-t4"))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[]", "the table: "),
        ('{"cpu": {"title": "CPU"}}', "cpu.perSecond: Field required"),
        ('{"cpu": {"title": "CPU", "perSecond": 0.1}}', "cpu.perSecond: "),
        ('{"cpu": {"title": "CPU", "perSecond": "-1"}}', "cpu.perSecond: "),
    ],
)
def test_a_fault_in_the_table_is_named(text: str, fault: str) -> None:
    with pytest.raises(ConfigurationError, match=fault):
        rates_of(text)


def test_the_shipped_table_is_read() -> None:
    rates = rates_of(CATALOGUE_PATH.with_name("hardware.json").read_text(encoding="utf-8"))
    assert rates["gpu-a100-large"] == Decimal("0.0014")


@pytest.mark.parametrize("media_type", ["text", "file"])
@pytest.mark.parametrize("shape", ["single", "list", "object", "text", "json"])
def test_a_model_without_a_price_of_any_kind_and_shape(media_type: str, shape: str) -> None:
    bare = {
        "reference": "deployments/acme/fox-writer",
        "description": "Writes of foxes.",
        "output": shape,
        "parameters": {"prompt": {"type": "string"}},
        "estimatedTime": 3,
        "timeout": 60,
        "source": {
            "version": None,
            "official": True,
            "readAt": "2026-01-31",
            "schema": "a" * 64,
        },
        "example": {"prompt": "p"},
    }

    found = Catalogue.parse(json.dumps({media_type: {"fox": bare}})).find("fox")

    assert (found.media_type, found.output, found.price) == (media_type, shape, None)


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
