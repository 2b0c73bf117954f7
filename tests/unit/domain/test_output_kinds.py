"""A text or a JSON value that a model answers with becomes one file, whatever it looks like."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsl.domain.predictions.output import OutputKind, output_addresses
from vsl.domain.predictions.prediction import Outcome, Prediction
from vsl.domain.predictions.provider_values import read_json

FILE = "https://replicate.delivery/xezq/abc/out-0.png"
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def content(output: object, kind: OutputKind) -> tuple[str, str]:
    """The media type and the text of the one file."""
    (address,) = output_addresses(output, kind)
    head, _, payload = address.partition(";base64,")
    return head.removeprefix("data:"), base64.b64decode(payload).decode()


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("A fox.", "A fox."),
        (["A ", "fox", "", "."], "A fox."),
        (FILE, FILE),
        ([FILE, "data:image/png;base64,AA=="], FILE + "data:image/png;base64,AA=="),
        ("GIF89a and <html>", "GIF89a and <html>"),
        ("\x1b[31mred\r\n", "\x1b[31mred\r\n"),
        ("half \ud83d", "half \ufffd"),
        ({"answer": "A fox."}, '{"answer": "A fox."}'),
        (["A", 1], '["A", 1]'),
        (3, "3"),
        (False, "false"),
    ],
)
def test_a_text_is_one_file(output: object, text: str) -> None:
    assert content(output, OutputKind.TEXT) == ("text/plain", text)


@pytest.mark.parametrize("output", [None, "", [], [""]])
def test_no_text_is_no_file(output: object) -> None:
    assert list(output_addresses(output, OutputKind.TEXT)) == []


@pytest.mark.parametrize(
    "output", [{"url": FILE}, [], {}, 0, False, [1.5, None], "text", {"ü": ["\n"]}]
)
def test_any_value_is_one_json_file(output: object) -> None:
    media, text = content(output, OutputKind.JSON)
    assert media == "application/json"
    assert json.loads(text) == output


def test_null_is_no_json_file() -> None:
    assert list(output_addresses(None, OutputKind.JSON)) == []


def test_numbers_that_json_lacks_become_null() -> None:
    found = read_json(b'{"a": [NaN, -Infinity, 1e999]}')
    assert content(found, OutputKind.JSON)[1] == '{"a": [null, null, null]}'


@pytest.mark.parametrize("kind", [OutputKind.TEXT, OutputKind.JSON])
def test_what_is_nested_too_deep_is_no_file(kind: OutputKind) -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = {"in": deep}
    assert list(output_addresses(deep, kind)) == []


@given(JSON_VALUES, st.sampled_from(OutputKind))
def test_no_output_stops_an_end(output: Any, kind: OutputKind) -> None:
    body = {"id": "a1", "status": "succeeded", "output": output}

    outcome = Outcome.of(Prediction.parse(body), "webhook", kind)

    again = Outcome.from_document(json.loads(json.dumps(outcome.document())))
    assert again.output == outcome.output
    if kind is not OutputKind.FILES:
        assert len(outcome.output) == outcome.output_count
        assert len(outcome.output) <= 1


def test_files_are_found_however_deep_they_are_nested() -> None:
    output = {"mesh": FILE, "views": [{"front": FILE + "?1"}, None, "a caption"], "seed": 3}
    assert list(output_addresses(output, OutputKind.FILES)) == [FILE, FILE + "?1"]
