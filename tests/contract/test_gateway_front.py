"""What API Gateway does besides templates: routes, validation, keys, CORS, proxy events."""

import base64
import json
from typing import Any

import pytest

from devstack.gateway.access import Access
from devstack.gateway.app import Gateway
from devstack.gateway.document import ApiDocument
from devstack.gateway.request import Request
from devstack.gateway.responses import GatewayError
from tests.support.front import Backend, Front, api_document, header

REQUEST = {"userId": "u1", "modelId": "flux-schnell", "parameters": {"prompt": "x"}}


def problem(front: Front, *arguments: Any) -> tuple[int, dict[str, Any]]:
    answer = front.send(*arguments)
    assert header(answer, "Content-Type") == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.body)
    return answer.status, body


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nope"), ("TRACE", "/models"), ("GET", "/status/a/b"), ("GET", "/")],
)
def test_an_unknown_route_is_refused_as_api_gateway_does(method: str, path: str) -> None:
    status, body = problem(Front(Backend()), method, path)
    assert (status, body["code"]) == (403, "Forbidden")


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "HEAD"])
def test_a_method_the_route_does_not_know_is_answered_with_those_it_does(method: str) -> None:
    front = Front(Backend())
    assert problem(front, method, "/models")[0] == 405
    answer = front.send(method, "/models")
    assert header(answer, "Allow") == "GET,OPTIONS"
    assert json.loads(answer.body)["code"] == "MethodNotAllowed"


@pytest.mark.parametrize("body", ["{", "[]", '{"userId":7}', '{"parameters":"x"}', ""])
def test_a_body_of_any_shape_reaches_the_machine_as_it_is(body: str) -> None:
    """The workflow's first step names every fault at once (decision 0026)."""
    backend = Backend()
    assert Front(backend).send("POST", "/generate-media", body).status == 202
    assert backend.started["body"] == body


def test_another_content_type_is_refused() -> None:
    backend = Backend()
    front = Front(backend)
    answer = front.send(
        "POST", "/generate-media", json.dumps(REQUEST), {"Content-Type": "text/plain"}
    )
    assert answer.status == 415
    assert backend.calls == []
    with_charset = {"Content-Type": "application/json; charset=utf-8"}
    assert front.send("POST", "/generate-media", json.dumps(REQUEST), with_charset).status == 202


def test_a_body_beyond_ten_megabytes_is_refused() -> None:
    status, body = problem(Front(Backend()), "POST", "/generate-media", b"x" * (10 * 1024**2 + 1))
    assert (status, body["code"]) == (413, "PayloadTooLarge")


def test_keys_are_asked_for_unless_the_api_is_open() -> None:
    backend = Backend()
    closed = Front(backend, {"ApiAuth": "API_KEY"}, access=Access(api_keys=("secret",)))
    for headers in ({}, {"X-Api-Key": "wrong"}):
        answer = closed.generate(REQUEST, headers)
        assert (answer.status, json.loads(answer.body)["code"]) == (403, "Forbidden")
    assert backend.calls == []
    assert closed.generate(REQUEST, {"x-api-key": "secret"}).status == 202
    assert closed.send("POST", "/webhook/replicate", "{}").status == 200  # the provider has none
    assert Front(backend).generate(REQUEST).status == 202


@pytest.mark.parametrize("path", ["/generate-media", "/status/1", "/models", "/models/flux-dev"])
def test_browsers_may_ask(path: str) -> None:
    answer = Front(Backend()).send("OPTIONS", path, headers={"Origin": "https://app.test"})
    assert answer.status == 204
    assert header(answer, "Access-Control-Allow-Origin") == "*"
    assert "Content-Type" in str(header(answer, "Access-Control-Allow-Headers"))
    assert "OPTIONS" in str(header(answer, "Access-Control-Allow-Methods"))


@pytest.mark.parametrize(
    ("origin", "allowed"), [("https://b.test", "https://b.test"), ("https://evil.test", None)]
)
def test_named_origins_alone_are_allowed(origin: str, allowed: str | None) -> None:
    front = Front(Backend(), {"CorsOrigins": "https://a.test,https://b.test"})
    for answer in (
        front.send("OPTIONS", "/models", headers={"Origin": origin}),
        front.generate(REQUEST, {"Origin": origin}),
    ):
        assert header(answer, "Access-Control-Allow-Origin") == allowed
        assert header(answer, "Vary") == "Origin"


@pytest.mark.parametrize("name", ["Origin", "origin", "ORIGIN"])
def test_an_origin_is_a_header_however_it_is_spelled(name: str) -> None:
    front = Front(Backend(), {"CorsOrigins": "https://a.test"})
    body = json.dumps(REQUEST)
    sent = {"Content-Type": "application/json"}
    for method, path, text in (("OPTIONS", "/models", ""), ("POST", "/generate-media", body)):
        claimed = front.send(method, path, text, sent, f"{name}=https://a.test")
        assert header(claimed, "Access-Control-Allow-Origin") is None
        asked = front.send(method, path, text, {**sent, name: "https://a.test"})
        assert header(asked, "Access-Control-Allow-Origin") == "https://a.test"


def test_a_proxy_event_carries_the_request_as_it_was_sent() -> None:
    backend = Backend()
    body = '{\r\n  "id": "p1",  "x": "ü"}'
    headers = {
        "Content-Type": "application/json",
        "webhook-ID": "msg_1",
        "Webhook-Signature": "v1,a==",
    }
    answer = Front(backend).send(
        "POST", "/webhook/replicate", body, headers, "jobId=a%20b&attempt=1&attempt=2&empty="
    )
    assert answer.status == 200
    ((arn, event),) = backend.events
    assert arn == "ProcessWebhookFunction-Arn"
    assert event["body"] == body
    assert event["isBase64Encoded"] is False
    assert event["headers"]["webhook-ID"] == "msg_1"
    assert event["multiValueHeaders"]["Webhook-Signature"] == ["v1,a=="]
    assert event["queryStringParameters"] == {"jobId": "a b", "attempt": "2", "empty": ""}
    assert event["multiValueQueryStringParameters"]["attempt"] == ["1", "2"]
    assert event["pathParameters"] is None
    assert event["resource"] == event["path"] == "/webhook/replicate"
    assert event["httpMethod"] == "POST"
    context = event["requestContext"]
    assert (context["stage"], context["resourcePath"]) == ("local", "/webhook/replicate")
    assert context["identity"]["sourceIp"] == "127.0.0.1"


def test_a_path_parameter_reaches_the_function() -> None:
    backend = Backend()
    Front(backend).send("GET", "/status/0190-abc")
    ((_, event),) = backend.events
    assert event["pathParameters"] == {"jobId": "0190-abc"}
    assert event["resource"] == "/status/{jobId}"
    assert event["body"] is None
    assert event["queryStringParameters"] is None


@pytest.mark.parametrize(
    "output",
    [b'"text"', b"{}", b'{"statusCode":"many"}', b"nonsense", b'{"statusCode":200,"body":{"a":1}}'],
)
def test_a_function_that_answers_nonsense_is_a_bad_gateway(output: bytes) -> None:
    answer = Front(Backend(function=lambda _: (output, False))).send("GET", "/models")
    assert answer.status == 502
    assert json.loads(answer.body)["code"] == "InternalError"


def test_a_function_that_fails_is_a_bad_gateway_and_keeps_its_secrets() -> None:
    backend = Backend(function=lambda _: (b'{"errorMessage":"secret"}', True))
    answer = Front(backend).send("GET", "/models")
    assert answer.status == 502
    assert b"secret" not in answer.body


def test_a_function_that_is_too_slow_is_a_timeout() -> None:
    def slow(_: object) -> tuple[bytes, bool]:
        raise GatewayError("INTEGRATION_TIMEOUT", "Endpoint request timed out")

    answer = Front(Backend(function=slow)).send("GET", "/models")
    assert answer.status == 504
    assert json.loads(answer.body)["code"] == "Overloaded"
    assert header(answer, "Retry-After") == "5"


def test_binary_bodies_travel_as_base64_both_ways() -> None:
    raw = bytes(range(256))
    output = {
        "statusCode": 200,
        "headers": {"Content-Type": "image/png"},
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        "body": base64.b64encode(raw).decode(),
        "isBase64Encoded": True,
    }
    backend = Backend(function=lambda _: (json.dumps(output).encode(), False))
    document = dict(api_document().document) | {
        "x-amazon-apigateway-binary-media-types": ["application/octet-stream", "image/*"]
    }
    gateway = Gateway(ApiDocument(document), backend, "local")
    request = Request(
        "POST", "/webhook/replicate", "", (("Content-Type", "application/octet-stream"),), raw
    )
    answer = gateway.handle(request)
    ((_, event),) = backend.events
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == raw
    assert answer.body == raw
    assert [value for name, value in answer.headers if name == "Set-Cookie"] == ["a=1", "b=2"]


def test_a_request_validator_that_the_document_does_not_define_is_refused() -> None:
    """API Gateway takes no such document; a deployment would end there."""
    document = dict(api_document().document)
    with pytest.raises(ValueError, match="defines no request validator"):
        ApiDocument(document | {"x-amazon-apigateway-request-validators": {}})


def test_every_operation_has_an_integration_the_front_can_serve() -> None:
    kinds = {str(each.integration["type"]) for each in api_document().operations()}
    assert kinds == {"aws", "aws_proxy", "mock"}
