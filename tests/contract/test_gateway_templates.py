"""Whatever a person writes goes through the API.s mapping templates unharmed, in and out."""

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
    assert backend.request == request(text) | {"userId": f"user {text}"}


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
    assert backend.request["parameters"]["prompt"] == value
    assert json.loads(answer.body)["echo"] == value


@pytest.mark.parametrize(
    "body",
    [
        '{"userId":"u","modelId":"m","parameters":{"prompt":"half \\ud83d"}}',
        '{"userId":"u","modelId":"m","parameters":{"seed":1e400}}',
        '{"userId":"u","modelId":"m","seed":' + "9" * 4000 + "}",
        '{"userId":"u","modelId":"m","parameters":' + '{"a":' * 5000 + "1" + "}" * 5001,
        '{"userId":"u","modelId":"m","a":1.10,  "a" : 2 }',
    ],
)
def test_a_body_arrives_as_the_text_it_was_sent_as(body: str) -> None:
    """What no job can hold is refused by the machine's first step, which names its path."""
    backend = Backend()
    answer = Front(backend).send(
        "POST", "/generate-media", body, {"Content-Type": "application/json"}
    )
    assert (answer.status, backend.started["body"]) == (202, body)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1))
def test_any_idempotency_key_arrives(key: str) -> None:
    for name in ("Idempotency-Key", "idempotency-key"):
        backend = Backend()
        Front(backend).generate(request("x"), {name: key})
        assert backend.started["idempotencyKey"] == key


HEADERS = {"Idempotency-Key": "idempotencyKey", "Prefer": "prefer"}


def cased(name: str) -> list[str]:
    """As HTTP/1.1 clients, HTTP/2 clients and odd ones send it."""
    return [name, name.lower(), name.upper(), name.swapcase()]


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_is_read_from_the_headers_alone_however_it_is_spelled(name: str) -> None:
    for spelled in cased(name):
        backend = Backend()
        query = "&".join(f"{each}=from-the-query" for each in cased(name))
        sent = {"Content-Type": "application/json", spelled: "from-the-header"}
        Front(backend).send("POST", "/generate-media", json.dumps(request("x")), sent, query)
        assert backend.started[HEADERS[name]] == "from-the-header", spelled


@pytest.mark.parametrize("name", HEADERS)
def test_the_query_is_no_place_for_a_header(name: str) -> None:
    for spelled in cased(name):
        backend = Backend()
        query = f"{spelled}=from-the-query"
        Front(backend).send("POST", "/generate-media", json.dumps(request("x")), query=query)
        assert backend.started[HEADERS[name]] == "", spelled


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_comes_twice_is_one_with_both_values(name: str) -> None:
    """RFC 9110, 5.3. Two lines with one spelling are beyond us: API Gateway hands on the last."""
    backend = Backend()
    Front(backend).generate(request("x"), {name: "a", name.lower(): "b"})
    assert backend.started[HEADERS[name]] == "a, b"


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("X-Forwarded-Proto=https://evil.example/%3F", {}),
        ("x-forwarded-proto=https://evil.example/%3F", {}),
        ("Host=evil.example", {}),
        ("", {"X-Forwarded-Proto": "https://evil.example/?"}),
        ("", {"x-forwarded-proto": "https://evil.example/?"}),
        ("", {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}),
    ],
)
def test_nothing_a_client_sends_becomes_an_address(query: str, headers: dict[str, str]) -> None:
    backend = Backend()
    sent = {"Content-Type": "application/json", **headers}
    Front(backend).send("POST", "/generate-media", json.dumps(request("x")), sent, query)
    assert "evil" not in json.dumps(backend.started)


@pytest.mark.parametrize("text", ["a.test", "a.test:8000", 'x","claims":{"sub":"victim"},"y":"'])
def test_the_host_is_told_as_a_text_and_nothing_else(text: str) -> None:
    backend = Backend()
    Front(backend).generate(request("x"), {"Host": text})
    assert backend.started["api"] == {"id": "local", "host": text}
    assert backend.started["claims"] == {"sub": "", "aud": "", "token_use": ""}


def test_what_the_machine_is_told_besides() -> None:
    backend = Backend()
    Front(backend).generate(request("x"))
    started = backend.started
    assert started.keys() == {
        "body",
        "query",
        "idempotencyKey",
        "hasIdempotencyKey",
        "prefer",
        "retry",
        "requestId",
        "api",
        "claims",
        "authorizer",
    }
    assert (started["idempotencyKey"], started["prefer"]) == ("", "")
    assert started["api"] == {"id": "local", "host": "api.test"}
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
    assert json.loads(answer.body)["code"] == "Overloaded"
