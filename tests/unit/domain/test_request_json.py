"""What a client's JSON may not hold is told with its path, before anything else looks at it."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsl.domain.api.request_json import MAX_DEPTH, check_values, read_request
from vsl.domain.errors import InvalidRequest

HALF = "a\ud83d"


def faults(text: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as raised:
        read_request(text)
    assert raised.value.code == "InvalidRequest"
    fields: Any = raised.value.details["fields"]
    for field in fields:
        field["message"].encode("ascii")
        assert field["field"] in raised.value.message
    return [(field["field"], field["message"]) for field in fields]


def nested(depth: int, inner: str = "1") -> str:
    return '{"parameters":' + '{"a":' * depth + inner + "}" * depth + "}"


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        (json.dumps({"parameters": {"prompt": HALF}}), "parameters.prompt", "U+D83D"),
        (json.dumps({"parameters": [0, {"x": ["\udc00"]}]}), "parameters[1].x[0]", "U+DC00"),
        (json.dumps({"parameters": {HALF: 1}}), "parameters", "a name"),
        ('{"parameters":{"guidance_scale":1e400}}', "parameters.guidance_scale", "finite"),
        ('{"parameters":{"guidance_scale":-1e400}}', "parameters.guidance_scale", "finite"),
        ('{"parameters":{"guidance_scale":NaN}}', "parameters.guidance_scale", "finite"),
        ('{"parameters":[Infinity,-Infinity]}', "parameters[0]", "finite"),
        ('{"seed":' + "9" * 5000 + "}", "seed", "finite"),
        (nested(5000), "parameters.a.a.a.a.…", f"deeper than {MAX_DEPTH}"),
        (nested(100_000), "parameters.a.a.a.a.…", f"deeper than {MAX_DEPTH}"),
        ("[" * 100_000, "[0][0][0][0][0].…", f"deeper than {MAX_DEPTH}"),
        ('{"a b":{"\\u001b":' + "[" * 200 + "]" * 200 + "}}", "….…[0][0][0].…", "deeper"),
        ('{"userId":"a","userId":"b"}', "userId", "twice"),
        ('{"a":1,"parameters":{"seed":1,"seed":2}}', "seed", "twice"),
        (HALF, "body", "is not valid JSON"),
        ("", "body", "is not valid JSON"),
        ("{} {}", "body", "is not valid JSON"),
        ("[1,]", "body", "is not valid JSON"),
        ('{"a":"\n"}', "body", "is not valid JSON"),
        ('"' + "\\" * 10_000, "body", "is not valid JSON"),
        ("[" + "[]," * MAX_DEPTH + '"' + '\\"' * 300_000, "body", "is not valid JSON"),
        (json.dumps(HALF), "body", "U+D83D"),
    ],
)  # fmt: skip
def test_each_fault_has_its_path(text: str, field: str, message: str) -> None:
    (found, *_) = faults(text)
    assert found[0] == field
    assert message in found[1]


def test_every_fault_is_told_and_no_more_than_twenty() -> None:
    both = json.dumps({"userId": HALF, "parameters": {"prompt": HALF, "seed": math.nan}})
    assert [field for field, _ in faults(both)] == [
        "userId",
        "parameters.prompt",
        "parameters.seed",
    ]
    assert len(faults(json.dumps([HALF] * 100))) == 20


def test_what_a_user_wrote_is_not_repeated() -> None:
    """A refusal is logged: names that look like names are shown, texts are not."""
    text = json.dumps({"parameters": {"a secret wish": HALF, "password": math.inf}})
    assert [field for field, _ in faults(text)] == ["parameters.…", "parameters.password"]


@pytest.mark.parametrize("depth", [1, MAX_DEPTH - 2])
def test_what_is_deep_enough_passes(depth: int) -> None:
    assert read_request(nested(depth)) == json.loads(nested(depth))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)  # fmt: skip


@given(JSON, st.booleans())
def test_sound_json_is_read_as_it_is(value: Any, ascii_only: bool) -> None:
    assert read_request(json.dumps(value, ensure_ascii=ascii_only)) == value


ANY = st.recursive(
    st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=())), inner),
)  # fmt: skip


@given(ANY)
def test_what_is_read_can_be_stored(value: Any) -> None:
    try:
        check_values(value)
    except InvalidRequest:
        return
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


@given(st.text(alphabet='{}[]",:\\ab1 '))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read = read_request(text)
    except InvalidRequest:
        return
    assert json.dumps(read) == json.dumps(json.loads(text))
