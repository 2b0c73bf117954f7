"""Parameters: refused with a reason a person can act on, or complete and within the schema."""

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.models import MODEL_IDS, model, provider_input_schema
from vsl.domain.catalogue.models import Model, Parameter
from vsl.domain.catalogue.validation import (
    build_provider_input,
    parameters_schema,
    validate_parameters,
)
from vsl.domain.errors import InvalidParameters


def faults(model_id: str, *, allow_http: bool = False, **parameters: Any) -> dict[str, str]:
    """Messages by parameter; empty when accepted."""
    try:
        validate_parameters(model(model_id), parameters, allow_http=allow_http)
    except InvalidParameters as error:
        fields = error.details["fields"]
        assert isinstance(fields, list)
        return {fault["field"].removeprefix("parameters."): fault["message"] for fault in fields}
    return {}


def test_defaults_are_filled_in() -> None:
    assert validate_parameters(model("sdxl"), {"prompt": "a fox"}, allow_http=False) == {
        "prompt": "a fox",
        "negative_prompt": "",
        "width": 1024,
        "height": 1024,
        "num_outputs": 1,
        "num_inference_steps": 50,
        "guidance_scale": 7.5,
        "scheduler": "K_EULER",
        "refine": "no_refiner",
        "prompt_strength": 0.8,
        "apply_watermark": True,
        "high_noise_frac": 0.8,
        "lora_scale": 0.6,
        "disable_safety_checker": False,
    }


def test_every_fault_is_reported_at_once() -> None:
    found = faults(
        "flux-schnell",
        widht=512,
        width=9999,
        height=True,
        num_outputs=2.5,
        output_format="wepb",
        seed=None,
    )

    assert found == {
        "widht": "is not a parameter of flux-schnell. Did you mean 'width'? It takes: prompt, width,"
        " height, num_outputs, num_inference_steps, output_format, output_quality, go_fast,"
        " disable_safety_checker, seed",
        "width": "must be between 256 and 1536, not 9999",
        "height": "must be a whole number, not true",
        "num_outputs": "must be a whole number, not 2.5",
        "output_format": "must be one of webp, jpg, png. Did you mean 'webp'?",
        "seed": "must be a whole number, not null; leave it out instead",
        "prompt": "is required",
    }


@pytest.mark.parametrize(
    ("model_id", "name", "value", "message"),
    [
        ("sdxl", "width", 1023, "must be a multiple of 8, such as 1016, not 1023"),
        ("sdxl", "width", "1024", "must be a whole number, not text"),
        ("sdxl", "guidance_scale", float("nan"), "must be a finite number"),
        ("sdxl", "guidance_scale", float("inf"), "must be a finite number"),
        ("sdxl", "disable_safety_checker", True, "must be false: true is not allowed here"),
        ("sdxl", "guidance_scale", False, "must be a number, not false"),
        ("sdxl", "guidance_scale", 0.99, "must be between 1 and 50, not 0.99"),
        ("sdxl", "num_outputs", 10**30, "must be between 1 and 4, not 1" + "0" * 30),
        ("sdxl", "apply_watermark", 1, "must be true or false, not 1"),
        ("sdxl", "prompt", ["a"], "must be text, not a list"),
        ("sdxl", "prompt", {"a": 1}, "must be text, not an object"),
        ("sdxl", "prompt", " \n ", "must not be empty"),
        ("sdxl", "prompt", "a" * 10_001, "has 10,001 characters; at most 10,000 are allowed"),
        ("sdxl", "prompt", "a\x00b", "has a control character (U+0000) at position 1"),
        ("sdxl", "prompt", "\ud83d", "has a control character (U+D83D) at position 0"),
        ("bark", "prompt", "a" * 1001, "has 1,001 characters; at most 1,000 are allowed"),
        ("stability-video", "fps", 4, "must be between 5 and 30, not 4"),
        ("stability-video", "num_frames", 20, "must be one of 14, 25, not 20"),
        ("stability-video", "image", 5, "must be a URL as text, not 5"),
    ],
)
def test_a_refusal_says_what_is_wanted(model_id: str, name: str, value: Any, message: str) -> None:
    assert faults(model_id, **{name: value})[name] == message


def test_text_of_any_language_and_layout_is_taken() -> None:
    text = "Ein „Fuchs“\tund\r\n🦊 'und' \"noch\" \\ einer $ # لغة 日本語"
    assert faults("flux-schnell", prompt=text) == {}


def test_a_whole_number_may_be_written_with_a_decimal_point() -> None:
    parameters = validate_parameters(
        model("musicgen"), {"prompt": "p", "duration": 8.0}, allow_http=False
    )
    assert parameters["duration"] == 8
    assert isinstance(parameters["duration"], int)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.png",
        "https://example.com:8443/a%20b.png?X-Amz-Signature=abc&x=1#f",
        "https://[2606:4700::1111]/a.png",
        "data:image/png;base64,iVBORw0KGgo=",
        "data:image/svg+xml;charset=utf-8;base64,PHN2Zy8+",
    ],
)
def test_urls_that_are_taken(url: str) -> None:
    assert faults("stability-video", image=url) == {}


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://example.com/a.png", "must be an https:// URL, a data: URL or the handle"),
        ("ftp://example.com/a.png", "must be an https:// URL, a data: URL or the handle"),
        ("file:///etc/passwd", "must be an https:// URL, a data: URL or the handle"),
        ("javascript:alert(1)", "must be an https:// URL, a data: URL or the handle"),
        ("photo.jpg", "must be an https:// URL, a data: URL or the handle"),
        ("", "or the handle of an upload, with"),
        ("https://", "the host is missing or malformed"),
        ("https://:443/", "the host is missing or malformed"),
        ("https://example..com/", "the host is missing or malformed"),
        ("https://.example.com/", "the host is missing or malformed"),
        (f"https://{'a' * 64}.example/", "the host is missing or malformed"),
        ("https://example.com:99999/", "host or port is malformed"),
        ("https://[::1/", "host or port is malformed"),
        ("https://[v1.fe]/", "missing or malformed"),
        ("https://exa mple.com/", "percent-encoded"),
        ("https://example.com/ü", "percent-encoded"),
        ("https://example.com/\n", "percent-encoded"),
        ("https://user:pw@example.com/", "must not carry a user name"),  # pragma: allowlist secret
        ("https://token@example.com/", "must not carry a user name or password"),
        ("https://127.0.0.1/a.png", "must lead to a public host"),
        ("https://2852039166/latest/meta-data", "must lead to a public host"),
        ("https://0x7f.1/", "must lead to a public host"),
        ("https://[::ffff:10.0.0.1]/", "must lead to a public host"),
        ("https://localhost/", "must lead to a public host"),
        ("https://metadata.google.internal/", "must lead to a public host"),
        ("https://127.0.0.1.999/", "at most four parts"),
        ("https://example.com\\.internal/", "the host is missing or malformed"),
        ("https://example.com/" + "a" * 4096, "characters; 4,096 are allowed"),
        ("data:image/png,rawtext", "must have the form data:"),
        ("data:image/png;base64,****", "must have the form data:"),
        ("data:image/png;base64,abc", "must have the form data:"),
        ("data:;base64,AAAA", "must have the form data:"),
        ("data:image/png;base64," + "A" * 100_000, "upload the file and pass its handle"),
    ],
)
def test_urls_that_are_refused(url: str, message: str) -> None:
    assert message in faults("stability-video", image=url)["image"]


def test_http_is_taken_only_when_allowed() -> None:
    assert faults("stability-video", allow_http=True, image="http://127.0.0.1:9000/a.png") == {}
    assert faults("stability-video", allow_http=True, image="http://a:b@localhost/a.png")
    assert faults("stability-video", allow_http=True, image="https://localhost/a.png") == {}
    assert faults("stability-video", allow_http=True, image="http://a..b/a.png") != {}


def test_a_parameter_may_need_another() -> None:
    mask = "https://example.com/mask.png"
    assert faults("sdxl", prompt="p", mask=mask) == {"mask": "needs image as well"}
    assert faults("sdxl", prompt="p", mask=mask, image=mask) == {}
    schema = parameters_schema(model("sdxl"))
    assert schema["dependentRequired"] == {"mask": ["image"]}
    assert not jsonschema.Draft202012Validator(schema).is_valid({"prompt": "p", "mask": mask})


def test_names_that_cannot_be_encoded_are_left_out() -> None:
    strange: dict[str, Any] = {"\ud83d\x00": 1}
    assert list(faults("sdxl", prompt="p", **strange)) == ["…"]


def test_data_urls_share_one_limit() -> None:
    half = "data:image/png;base64," + "A" * 60_000
    assert faults("sdxl", prompt="p", image=half) == {}
    assert "together" in faults("sdxl", prompt="p", image=half, mask=half)["mask"]


@pytest.mark.parametrize(
    ("width", "height", "aspect_ratio", "megapixels"),
    [
        (1024, 1024, "1:1", "1"),
        (1344, 768, "16:9", "1"),
        (1536, 640, "21:9", "1"),
        (1216, 832, "3:2", "1"),
        (832, 1216, "2:3", "1"),
        (896, 1088, "4:5", "1"),
        (1088, 896, "5:4", "1"),
        (896, 1152, "3:4", "1"),
        (1152, 896, "4:3", "1"),
        (768, 1344, "9:16", "1"),
        (640, 1536, "9:21", "1"),
        (512, 512, "1:1", "0.25"),
        (672, 384, "16:9", "0.25"),
        (1280, 720, "16:9", "1"),
        (256, 1536, "9:21", "0.25"),
        (1000, 1040, "1:1", "1"),
    ],
)
def test_width_and_height_become_the_nearest_ratio_and_size(
    width: int, height: int, aspect_ratio: str, megapixels: str
) -> None:
    schnell = model("flux-schnell")
    asked = {"prompt": "p", "width": width, "height": height}

    sent = build_provider_input(schnell, validate_parameters(schnell, asked, allow_http=False))

    assert (sent["aspect_ratio"], sent["megapixels"]) == (aspect_ratio, megapixels)
    assert not {"width", "height"} & set(sent)


def test_stability_video_is_put_in_the_provider_s_words() -> None:
    video = model("stability-video")
    asked = {"image": "https://example.com/a.png", "fps": 12, "num_frames": 14}

    sent = build_provider_input(video, validate_parameters(video, asked, allow_http=False))

    assert sent == {
        "input_image": "https://example.com/a.png",
        "motion_bucket_id": 127,
        "frames_per_second": 12,
        "video_length": "14_frames_with_svd",
        "sizing_strategy": "maintain_aspect_ratio",
        "cond_aug": 0.02,
        "decoding_t": 14,
    }


def test_parameters_the_catalogue_no_longer_knows_are_not_sent() -> None:
    schnell = model("flux-schnell")
    known = validate_parameters(schnell, {"prompt": "p"}, allow_http=False)
    assert "gone" not in build_provider_input(schnell, {**known, "gone": 1})


def test_the_schema_says_what_becomes_of_a_parameter() -> None:
    properties = parameters_schema(model("flux-schnell"))["properties"]
    assert properties["width"]["x-maps-to"] == ["aspect_ratio", "megapixels"]
    assert parameters_schema(model("stability-video"))["properties"]["fps"] == {
        "type": "integer",
        "description": "Frames per second of the video.",
        "minimum": 5,
        "maximum": 30,
        "default": 24,
        "x-maps-to": ["frames_per_second"],
    }


@pytest.mark.parametrize("model_id", MODEL_IDS)
def test_the_schema_is_json_schema_and_holds_for_example_and_refusals(model_id: str) -> None:
    schema = parameters_schema(model(model_id))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)

    assert validator.is_valid(dict(model(model_id).example))
    assert not validator.is_valid({**model(model_id).example, "unknown": 1})
    assert not validator.is_valid({})


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


_TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=40)


def _values(parameter: Parameter, slack: int) -> st.SearchStrategy[Any]:
    """Values within the parameter's rules or, for numbers, as much as `slack` beyond them."""
    if parameter.type == "array":
        return st.lists(_values(parameter.member(), slack), max_size=2)
    if parameter.enum is not None:
        return st.sampled_from(parameter.enum)
    if parameter.type in {"integer", "number"}:
        return _numbers(parameter, slack)
    if parameter.type == "boolean":
        return st.booleans()
    if parameter.type == "uri":
        return st.sampled_from(["https://example.com/a.png", "data:audio/wav;base64,UklGRg=="])
    return _TEXT.filter(str.strip) if parameter.required else _TEXT


def _numbers(parameter: Parameter, slack: int) -> st.SearchStrategy[Any]:
    """Of a range that is open, whole ones up to what JSON's readers agree about."""
    step = parameter.multiple_of or 1
    low = -(2**63) if parameter.minimum is None else int(parameter.minimum) - slack
    high = 2**63 - 1 if parameter.maximum is None else int(parameter.maximum) + slack
    whole = st.integers(-(-low // step), high // step).map(lambda count: count * step)
    bounded = None not in {parameter.minimum, parameter.maximum}
    return whole | st.floats(low, high) if parameter.type == "number" and bounded else whole


@st.composite
def _requests(draw: st.DrawFn, *, valid: bool) -> tuple[Model, dict[str, Any]]:
    """A model and parameters; unless `valid`, some are off, missing, unknown or anything at all."""
    chosen = model(draw(st.sampled_from(MODEL_IDS)))
    parameters: dict[str, Any] = {}
    for name, parameter in chosen.parameters.items():
        if draw(st.booleans()) or (parameter.required and (valid or draw(st.integers(0, 9)))):
            wild = not valid and draw(st.integers(0, 19)) == 0
            values = _values(parameter, slack=0 if valid else 2)
            parameters[name] = draw(_ANYTHING if wild else values)
    for name in [name for name in parameters if valid and chosen.parameters[name].requires]:
        if chosen.parameters[name].requires not in parameters:
            del parameters[name]
    if not valid and draw(st.integers(0, 9)) == 0:
        parameters[draw(st.text(max_size=12))] = draw(_ANYTHING)
    return chosen, parameters


def _fits_both_schemas(chosen: Model, valid: dict[str, Any], allow_http: bool) -> None:
    schema = parameters_schema(chosen, allow_http=allow_http)
    jsonschema.Draft202012Validator(schema).validate(valid)
    sent = build_provider_input(chosen, valid)
    jsonschema.Draft202012Validator(provider_input_schema(chosen)).validate(sent)
    json.dumps(sent, ensure_ascii=False, allow_nan=False).encode("utf-8")


@settings(max_examples=100, deadline=None)
@given(_requests(valid=True))
def test_whatever_keeps_the_rules_is_taken_unchanged(request: tuple[Model, dict[str, Any]]) -> None:
    chosen, parameters = request

    valid = validate_parameters(chosen, parameters, allow_http=False)

    assert {name: valid[name] for name in parameters} == parameters
    assert validate_parameters(chosen, valid, allow_http=False) == valid
    _fits_both_schemas(chosen, valid, allow_http=False)


@settings(max_examples=200, deadline=None)
@given(_requests(valid=False), st.booleans())
def test_whatever_comes_is_refused_by_name_or_fits_both_schemas(
    request: tuple[Model, dict[str, Any]], allow_http: bool
) -> None:
    chosen, parameters = request
    try:
        valid = validate_parameters(chosen, parameters, allow_http=allow_http)
    except InvalidParameters as error:
        json.dumps(error.document(), ensure_ascii=False).encode("utf-8")
        return
    _fits_both_schemas(chosen, valid, allow_http)
