"""The envelope: what is read, and what is refused, all at once."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsl.domain.api.request import GenerateRequest, parse_request
from vsl.domain.errors import InvalidRequest
from vsl.domain.jobs.job import MediaType
from vsl.domain.jobs.metadata import MAX_BYTES


def faults(body: object) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as raised:
        parse_request(body)
    fields = raised.value.details["fields"]
    assert isinstance(fields, list)
    return {fault["field"]: fault["message"] for fault in fields}


def test_a_full_request() -> None:
    body = {
        "userId": "user123",
        "mediaType": "image",
        "modelId": "flux-schnell",
        "parameters": {"prompt": "A beautiful sunset over mountains"},
    }
    assert parse_request(body) == GenerateRequest(
        "user123",
        MediaType.IMAGE,
        "flux-schnell",
        {"prompt": "A beautiful sunset over mountains"},
    )


@pytest.mark.parametrize(
    ("more", "parameters"),
    [
        ({"prompt": "p"}, {"prompt": "p"}),
        ({"prompt": "p", "parameters": {"width": 512}}, {"prompt": "p", "width": 512}),
        ({"prompt": "p", "parameters": {"prompt": "p"}}, {"prompt": "p"}),
        ({}, {}),
    ],
)
def test_the_prompt_beside_the_parameters_is_a_shorthand(
    more: dict[str, Any], parameters: dict[str, Any]
) -> None:
    request = parse_request({"userId": "u", "modelId": "m", **more})
    assert request == GenerateRequest("u", None, "m", parameters)


def test_the_caller_s_body_is_left_alone() -> None:
    given_parameters: dict[str, Any] = {}
    parse_request({"userId": "u", "modelId": "m", "prompt": "p", "parameters": given_parameters})
    assert given_parameters == {}


def test_every_fault_is_reported_at_once() -> None:
    assert faults({"mediaType": "movie", "parameters": [], "prompt": 5, "user_id": "u"}) == {
        "user_id": "is not known here. Did you mean 'userId'? "
        "Known are: userId, mediaType, modelId, parameters, prompt, metadata, callbackUrl,"
        " callbackEvents, priority",
        "userId": "is required",
        "modelId": "is required",
        "mediaType": "must be one of image, video, audio, text, file",
        "parameters": "must be an object",
        "prompt": "must be text",
    }


def test_two_different_prompts_are_a_contradiction() -> None:
    body = {"userId": "u", "modelId": "m", "prompt": "a", "parameters": {"prompt": "b"}}
    assert faults(body) == {"prompt": "differs from parameters.prompt; give it once"}


@pytest.mark.parametrize("body", [None, "text", 5, [], [{}]])
def test_anything_but_an_object_is_refused(body: object) -> None:
    assert faults(body) == {"body": "must be a JSON object"}


@pytest.mark.parametrize(
    "user_id", ["u", "user123", "anna@example.com", "auth0|5f7c", "us-east-1:0a1b", "A" * 128]
)
def test_user_ids_that_are_taken(user_id: str) -> None:
    assert parse_request({"userId": user_id, "modelId": "m"}).user_id == user_id


@pytest.mark.parametrize(
    "user_id",
    ["", " ", "a b", "../etc", ".hidden", "a/b", "a\\b", "a\n", "a\x00", "ä", "A" * 129, 5, True, []],
)  # fmt: skip
def test_user_ids_that_are_refused(user_id: object) -> None:
    assert list(faults({"userId": user_id, "modelId": "m"})) == ["userId"]


@pytest.mark.parametrize("model_id", ["", "m" * 101, 7, None, {}])
def test_model_ids_that_are_refused(model_id: object) -> None:
    assert list(faults({"userId": "u", "modelId": model_id})) == ["modelId"]


@pytest.mark.parametrize("media_type", [None, 1, "Image", "image ", ["image"], {}])
def test_media_types_that_are_refused(media_type: object) -> None:
    assert list(faults({"userId": "u", "modelId": "m", "mediaType": media_type})) == ["mediaType"]


_KEYS = st.sampled_from(["userId", "mediaType", "modelId", "parameters", "prompt"]) | st.text()
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(_VALUES | st.dictionaries(_KEYS, _VALUES, max_size=6))
def test_nothing_but_invalid_request_is_ever_raised(body: object) -> None:
    try:
        request = parse_request(body)
    except InvalidRequest as error:
        json.dumps(error.document(), ensure_ascii=False).encode("utf-8")
    else:
        assert request.user_id.isascii()
        assert 1 <= len(request.user_id) <= 128


@pytest.mark.parametrize(
    ("metadata", "fields"),
    [
        ("x", ["metadata"]),
        (None, ["metadata"]),
        ({"order": 17}, ["metadata.order"]),
        ({"a b": "x"}, ["metadata.…"]),
        ({"order": "a\0b", "k" * 41: ""}, ["metadata.order", "metadata.…"]),
        ({"order": "é" * 1024}, ["metadata"]),
    ],
)
def test_metadata_is_little_text_under_short_names(metadata: object, fields: list[str]) -> None:
    body = {"userId": "u", "modelId": "m", "metadata": metadata}
    assert list(faults(body)) == fields


def test_metadata_may_have_so_many_bytes() -> None:
    fits = {"order": "x" * (MAX_BYTES - len('{"order": ""}'))}
    request = parse_request({"userId": "u", "modelId": "m", "metadata": fits})
    assert request.metadata == fits


@pytest.mark.parametrize(
    ("events", "fields"),
    [
        ([], ["callbackEvents"]),
        ("ended", ["callbackEvents"]),
        (["ended", "stopped"], ["callbackEvents[1]"]),
        ([7], ["callbackEvents[0]"]),
    ],
)
def test_callbacks_are_for_events_that_there_are(events: object, fields: list[str]) -> None:
    body = {
        "userId": "u",
        "modelId": "m",
        "callbackUrl": "https://example.com",
        "callbackEvents": events,
    }
    assert list(faults(body)) == fields


def test_a_callback_is_for_the_end_unless_something_else_is_asked_for() -> None:
    body: dict[str, Any] = {"userId": "u", "modelId": "m", "callbackUrl": "https://example.com/"}
    assert parse_request(body).callback_events == ("ended",)
    body["callbackEvents"] = ["ended", "started", "ended"]
    assert parse_request(body).callback_events == ("started", "ended")
    assert list(faults({"userId": "u", "modelId": "m", "callbackEvents": ["ended"]})) == [
        "callbackEvents"
    ]
