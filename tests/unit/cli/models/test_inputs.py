"""Inputs as parameters: exact ones for the shapes that are easily got wrong."""

from typing import Any

import pytest

from cli.models.translation.inputs import Inputs, translate_inputs
from tests.support.published import FILE, published


def inputs(schema: Any, *, required: bool = False, **components: Any) -> Inputs:
    names = ("it",) if required else ()
    return translate_inputs(published({"it": schema}, required=names, **components))


@pytest.mark.parametrize(
    ("schema", "parameter"),
    [
        ({"type": "string"}, {"type": "string"}),
        ({"type": "string", "default": ""}, {"type": "string", "default": ""}),
        ({"type": "string", "maxLength": 500}, {"type": "string", "maxLength": 500}),
        ({"type": "string", "maxLength": 65536}, {"type": "string"}),
        (FILE, {"type": "uri"}),
        ({"type": "boolean", "default": False}, {"type": "boolean", "default": False}),
        (
            {"type": "integer", "default": 25.0, "minimum": 1.0, "maximum": 100.0},
            {"type": "integer", "default": 25, "minimum": 1, "maximum": 100},
        ),
        ({"type": "integer", "minimum": 0.5}, {"type": "integer", "minimum": 1}),
        ({"type": "integer", "maximum": 10}, {"type": "integer", "maximum": 10}),
        ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 1}),
        (
            {"type": "integer", "minimum": 0, "exclusiveMinimum": True, "maximum": 4},
            {"type": "integer", "minimum": 1, "maximum": 4},
        ),
        ({"type": "integer", "multipleOf": 8}, {"type": "integer", "multipleOf": 8}),
        (
            {"type": "number", "minimum": 0, "maximum": 1},
            {"type": "number", "minimum": 0, "maximum": 1},
        ),
        ({"type": "number", "default": 3}, {"type": "number", "default": 3}),
        ({"type": "integer", "nullable": True}, {"type": "integer", "nullable": True}),
        (
            {"anyOf": [{"type": "integer"}, {"type": "number"}], "default": 1},
            {"type": "number", "default": 1},
        ),
        (
            {"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}], "default": None},
            {"type": "number", "nullable": True, "minimum": 0},
        ),
        (
            {"allOf": [{"$ref": "#/components/schemas/choice"}], "default": "b"},
            {"type": "string", "default": "b", "enum": ["a", "b"]},
        ),
        ({"enum": [1, 2, 4], "default": 2}, {"type": "integer", "default": 2, "enum": [1, 2, 4]}),
        (
            {"type": "integer", "enum": [24.0, 30.0], "default": 24.0},
            {"type": "integer", "default": 24, "enum": [24, 30]},
        ),
        ({"type": "string", "enum": ["", "ink"]}, {"type": "string", "enum": ["", "ink"]}),
        (
            {"type": "array", "items": FILE, "maxItems": 8, "default": []},
            {"type": "array", "items": "uri", "maxItems": 8, "default": []},
        ),
        (
            {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}, "minItems": 1},
            {"type": "array", "items": "string", "minItems": 1, "enum": ["a", "b"]},
        ),
        (
            {"type": "array", "items": {"type": "number", "minimum": 0}},
            {"type": "array", "items": "number", "minimum": 0},
        ),
        (
            {"type": "string", "title": "Shown to people", "description": " Two\n  lines. "},
            {"type": "string", "title": "Shown to people", "description": "Two lines."},
        ),
        ({"type": "string", "title": "It"}, {"type": "string"}),
    ],
)
def test_an_optional_input(schema: Any, parameter: dict[str, Any]) -> None:
    found = inputs(schema, choice={"type": "string", "enum": ["a", "b"]})

    assert found.parameters == {"it": parameter}
    assert list(found.parameters["it"]) == list(parameter), "keys in the file's order"
    assert (found.obstacles, found.remarks) == ([], [])


def test_required_with_a_default_is_optional_and_blank_choices_of_a_required_one_go() -> None:
    assert inputs({"type": "string", "default": "a fox"}, required=True).parameters == {
        "it": {"type": "string", "default": "a fox"}
    }
    found = inputs({"type": "string", "enum": ["", "ink"]}, required=True)
    assert found.parameters == {"it": {"type": "string", "required": True, "enum": ["ink"]}}
    assert "cannot be asked for" in found.remarks[0].message


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (
            {"type": "integer", "minimum": 1, "maximum": 50, "default": 100},
            "default 100 is left out",
        ),
        ({"type": "string", "enum": ["euler"], "default": "dpm"}, "default dpm is left out"),
        ({"type": "integer", "default": "1024"}, "must be a whole number"),
        ({"type": "boolean", "default": "False"}, "must be true or false"),
        ({**FILE, "default": ""}, r"default \(empty\) is left out"),
        ({"type": "array", "items": {"type": "string"}, "default": "a,b"}, "must be a list"),
        ({"type": "number", "exclusiveMinimum": 0}, "refuses 0 itself"),
        ({"type": "string", "pattern": "^#"}, r"match \^#"),
        ({"type": "integer", "minimum": 5, "maximum": 1}, "range 5 to 1 is empty"),
        ({"type": "number", "multipleOf": 0.25}, "multiple of 0.25"),
        ({"type": "integer", "deprecated": True}, "deprecated"),
    ],
)
def test_what_the_catalogue_cannot_say_is_remarked(schema: Any, said: str) -> None:
    found = inputs(schema)

    assert "default" not in found.parameters["it"]
    (remark,) = found.remarks
    assert remark.parameter == "it"
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(remark.message)


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "string", "format": "password", "writeOnly": True}, "secret"),
        ({"type": "string", "x-cog-secret": True}, "secret"),
        ({"anyOf": [{"type": "string", "format": "password"}, {"type": "null"}]}, "secret"),
        ({"type": "array", "items": {"type": "string", "format": "password"}}, "secret"),
        ({"type": "object"}, "object"),
        ({"anyOf": [{"type": "object"}, {"type": "null"}]}, "object"),
        ({"type": "array", "items": {"type": "object"}}, "items"),
        ({"type": "array", "items": {"type": "array", "items": {"type": "number"}}}, "items"),
        ({"type": "array"}, "items"),
        ({}, "type"),
        ({"enum": ["auto", 1]}, "type"),
        ({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}, "type"),
        ({"type": "string", "format": "binary"}, "type"),
        ({"$ref": "#/components/schemas/nowhere"}, "reference"),
    ],
)
@pytest.mark.parametrize("required", [True, False])
def test_what_no_parameter_can_carry_is_an_obstacle(schema: Any, why: str, required: bool) -> None:
    found = inputs(schema, required=required)

    assert found.parameters == {}
    (obstacle,) = found.obstacles
    assert (obstacle.input, obstacle.why, obstacle.required) == ("it", why, required)


def test_order_and_names_are_the_providers_as_far_as_they_can_be_ours() -> None:
    text = {"type": "string"}
    found = translate_inputs(
        published(
            {
                "SEED": {**text, "x-order": 4},
                "seed": {**text, "x-order": 3},
                "lora-weights": {**text, "x-order": 2},
                "numSteps": {**text, "x-order": 1},
                "Prompt": {**text, "x-order": 0},
                "last": text,
                "not a name": text,
            }
        )
    )

    assert {name: each.get("input") for name, each in found.parameters.items()} == {
        "prompt": "Prompt",
        "num_steps": "numSteps",
        "lora_weights": "lora-weights",
        "seed": None,
        "seed_2": "SEED",
        "last": None,
    }
    assert list(found.parameters)[:3] == ["prompt", "num_steps", "lora_weights"]
    assert [each.why for each in found.obstacles] == ["name"]


@pytest.mark.parametrize(
    ("name", "words", "sample", "media"),
    [
        ("image", "", None, "image"),
        ("input_video", "", None, "video"),
        ("song_file", "", None, "audio"),
        ("file", "The voice to clone", None, "audio"),
        ("file", "An image or a video", None, None),
        ("file", "A zip of images", None, None),
        ("source", "", "https://example.com/a.mp3", "audio"),
        ("image", "", "https://example.com/a.mp4", "video"),
        ("archive", "", "https://example.com/a.zip", None),
    ],
)
def test_what_a_file_must_be_is_guessed_and_said(
    name: str, words: str, sample: str | None, media: str | None
) -> None:
    example = {"input": {name: sample}} if sample else None
    model = published({name: {**FILE, "description": words}}, example=example)

    found = translate_inputs(model)

    assert found.parameters[name].get("media") == media
    assert [each.parameter for each in found.guesses] == ([name] if media else [])
    assert "media" not in translate_inputs(model, {name: "any"}).parameters[name]
    assert translate_inputs(model, {name: "video"}).parameters[name]["media"] == "video"
