"""Whatever a person writes goes through the door's mapping templates unharmed, in and out."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.front import Backend, Front, header

NASTY = [
    "it's",
    'she said "no"',
    "back\\slash \\n \\' \\\"",
    "two\nlines\r\n\tand a tab",
    "🎨 naïve façade 日本語 \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "#set($x = 1) #if(true) #end ## #* *#",
    "$input.body $context.requestId ${x} $!y $",
    "'; DROP TABLE jobs; --",
    "</script> <!-- / -->",
    '{"statusCode": 500}',
    "\u0000\u0001\u001f\u007f\u2028\u2029\ufeff",
    "' \\' \\\\' \\\\\\'",
    "%7B%27 &amp; &#39;",
    "",
]


def request(prompt: object) -> dict[str, Any]:
    return {"userId": "u1", "modelId": "flux-schnell", "parameters": {"prompt": prompt}}


@pytest.mark.parametrize("text", NASTY)
def test_a_request_arrives_as_it_was_sent(text: str) -> None:
    backend = Backend()
    answer = Front(backend).generate(request(text) | {"userId": f"user {text}"})
    assert answer.status == 202
    assert backend.started["request"] == request(text) | {"userId": f"user {text}"}


@pytest.mark.parametrize("text", NASTY)
def test_an_answer_leaves_as_the_machine_gave_it(text: str) -> None:
    body = json.dumps({"detail": text, "nested": {text: [text, None, 1.5, True]}})
    output = {"statusCode": 202, "headers": {"Content-Type": "application/json"}, "body": body}
    answer = Front(Backend(output)).generate(request("x"))
    assert json.loads(answer.body) == json.loads(body)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=8))
def test_any_json_goes_in_and_out(value: object) -> None:
    backend = Backend({"statusCode": 200, "headers": {}, "body": json.dumps({"echo": value})})
    answer = Front(backend).generate(request(value))
    assert backend.started["request"]["parameters"]["prompt"] == value
    assert json.loads(answer.body)["echo"] == value


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1))
def test_any_idempotency_key_arrives(key: str) -> None:
    for name in ("Idempotency-Key", "idempotency-key"):
        backend = Backend()
        Front(backend).generate(request("x"), {name: key})
        assert backend.started["idempotencyKey"] == key


def test_what_the_machine_is_told_besides() -> None:
    backend = Backend()
    Front(backend).generate(request("x"))
    started = backend.started
    assert started["idempotencyKey"] == ""
    assert started["requestUrl"] == "https://api.test/generate-media"
    assert len(started["requestId"]) == 36
    (_, arguments) = backend.calls[0]
    assert arguments["stateMachineArn"] == "arn:physical:GenerateMediaStateMachine"


@pytest.mark.parametrize("status", [202, 400, 404, 409, 422, 429, 500, 503])
def test_the_machine_chooses_status_and_headers(status: int) -> None:
    headers = {
        "Content-Type": "application/problem+json",
        "Location": "https://api.test/status/1",
        "Retry-After": "7",
    }
    answer = Front(Backend({"statusCode": status, "headers": headers, "body": "{}"})).generate(
        request("x")
    )
    assert answer.status == status
    assert {name: header(answer, name) for name in headers} == headers


def test_headers_the_machine_does_not_set_are_absent() -> None:
    answer = Front(Backend()).generate(request("x"))
    assert header(answer, "Retry-After") is None
    assert header(answer, "Location") is None


@pytest.mark.parametrize("backend", [Backend(run_status="FAILED"), Backend(http_status=400)])
def test_a_door_that_did_not_open_says_so(backend: Backend) -> None:
    answer = Front(backend).generate(request("x"))
    assert answer.status == 503
    assert header(answer, "Retry-After") == "5"
    assert header(answer, "Content-Type") == "application/problem+json"
    assert json.loads(answer.body)["code"] == "StoreUnavailable"
