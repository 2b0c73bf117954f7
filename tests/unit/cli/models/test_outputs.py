"""Shape and kind of what a model makes."""

from typing import Any

import pytest

from cli.models.translation.outputs import translate_output
from cli.models.translation.values import NotServedError
from tests.support.published import FILE, published

TEXTS = {"type": "array", "items": {"type": "string"}}
NODE = {
    "type": "object",
    "properties": {"children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}},
}
ADDRESS = "https://replicate.delivery/xezq/x/a.png"


@pytest.mark.parametrize(
    ("output", "sample", "shape"),
    [
        (FILE, None, "single"),
        ({"anyOf": [FILE, {"type": "null"}]}, None, "single"),
        ({"type": "array", "items": FILE}, None, "list"),
        ({"type": "array", "items": FILE, "x-cog-array-type": "iterator"}, None, "list"),
        ({"allOf": [{"$ref": "#/components/schemas/Files"}]}, None, "list"),
        ({"type": "string"}, "Hello", "text"),
        ({"type": "string", "nullable": True}, None, "text"),
        ({**TEXTS, "x-cog-array-type": "iterator"}, None, "text"),
        (TEXTS, ["a", "b"], "text"),
        ({"type": "string"}, ADDRESS, "single"),
        (TEXTS, [ADDRESS, ADDRESS], "list"),
        (
            {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": FILE}}}},
            None,
            "object",
        ),
        ({"type": "object", "additionalProperties": FILE}, None, "object"),
        ({"type": "array", "items": {"type": "object", "properties": {"a": FILE}}}, None, "object"),
        ({"anyOf": [FILE, {"type": "array", "items": FILE}]}, None, "object"),
        ({"type": "object", "properties": {"a": {"type": "number"}}}, None, "json"),
        ({"type": "object"}, {"a": 1}, "json"),
        ({"type": "number"}, 1, "json"),
        ({"type": "array", "items": {"type": "number"}}, None, "json"),
        ({"type": "array", "items": {}}, None, "json"),
        ({"$ref": "#/components/schemas/Node"}, None, "json"),
        ({"title": "Output"}, {"hits": []}, "json"),
        ({"title": "Output"}, {"file": ADDRESS}, "object"),
    ],
)
def test_the_shape(output: Any, sample: Any, shape: str) -> None:
    model = published(
        output=output,
        example={"output": sample},
        Files={"type": "array", "items": FILE},
        Node=NODE,
    )

    assert translate_output(model).shape == shape


@pytest.mark.parametrize(
    ("sample", "formats", "description", "media"),
    [
        ("https://example.com/a.mp4", "png", "Images", "video"),
        (["data:audio/wav;base64,AAAA"], "png", "Images", "audio"),
        ({"mesh": "https://example.com/a.glb"}, "png", "Images", "file"),
        ("https://example.com/no-ending", "mp3", "Images", "audio"),
        (None, None, "Makes a video of a photo", "file"),
        (None, None, "Turns words into speech", "audio"),
        (None, None, "Unheard of", "file"),
    ],
)
def test_the_kind_of_media(sample: Any, formats: str | None, description: str, media: str) -> None:
    options = {"output_format": {"type": "string", "default": formats}} if formats else {}
    output = FILE if isinstance(sample, str) or sample is None else {"type": "array", "items": FILE}

    found = translate_output(
        published(options, output=output, example={"output": sample}, description=description)
    )

    assert found.media == media
    assert found.guess


@pytest.mark.parametrize(("output", "media"), [({"type": "string"}, "text"), ({}, "file")])
def test_texts_and_values_are_certain(output: Any, media: str) -> None:
    found = translate_output(published(output=output))

    assert (found.media, found.guess) == (media, None)


def test_without_a_schema_of_its_output_a_model_is_refused() -> None:
    model = published()
    without = {name: each for name, each in model.schemas.items() if name != "Output"}
    object.__setattr__(model, "schemas", without)

    with pytest.raises(NotServedError, match="no schema of its output"):
        translate_output(model)
