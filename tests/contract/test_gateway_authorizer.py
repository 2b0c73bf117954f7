"""A Lambda authorizer at the local front: what it is asked, and what its answers mean.

Expected answers: API Gateway's gateway responses (UNAUTHORIZED, ACCESS_DENIED, AUTHORIZER_FAILURE,
AUTHORIZER_CONFIGURATION_ERROR), in the words of our own document.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from devstack.gateway.document import ApiDocument
from devstack.gateway.responses import Answer, GatewayError
from tests.support.front import Backend, Front, api_document, header

REQUEST = {"modelId": "flux-schnell", "parameters": {"prompt": "x"}}
STAGE_ARN = "arn:aws:execute-api:us-east-1:000000000000:local/local"
KNOWN = {"keyId": "0123456789abcdef", "userId": "user-1", "dedupeSeconds": "60"}


def policy(
    effect: str = "Allow", resource: str = f"{STAGE_ARN}/*", **context: object
) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": "user-1", "policyDocument": document, "context": context}


class Authorizer(Backend):
    """Functions whose authorizer gives this answer, or this error."""

    def __init__(self, answer: Any, *, failed: bool = False) -> None:
        super().__init__()
        self.answer = answer
        self.failed = failed

    def invoke(self, function_arn: str, event: Mapping[str, Any]) -> tuple[bytes, bool]:
        if "AuthorizeKey" not in function_arn:
            return super().invoke(function_arn, event)
        self.asked = event
        if isinstance(self.answer, GatewayError):
            raise self.answer
        return json.dumps(self.answer).encode(), self.failed


def front(answer: Any, *, failed: bool = False) -> Front:
    return Front(Authorizer(answer, failed=failed), {"ApiAuth": "KEYS"})


def status(asked: Front) -> tuple[int, str]:
    answer = asked.send("GET", "/status/1")
    return answer.status, json.loads(answer.body).get("code", "")


def test_it_is_asked_as_api_gateway_asks() -> None:
    asked = front(policy(**KNOWN))
    headers = {"Host": "api.test", "Authorization": "Bearer x", "x-api-key": "y"}
    assert asked.send("GET", "/status/1", headers=headers, query="wait=2&wait=3").status == 200
    event = asked.backend.asked  # type: ignore[attr-defined]
    assert (event["type"], event["methodArn"]) == ("REQUEST", f"{STAGE_ARN}/GET/status/1")
    assert event["multiValueHeaders"]["Authorization"] == ["Bearer x"]
    assert event["headers"]["x-api-key"] == "y"
    assert (event["resource"], event["pathParameters"]) == ("/status/{jobId}", {"jobId": "1"})
    assert event["multiValueQueryStringParameters"] == {"wait": ["2", "3"]}
    assert not {"body", "isBase64Encoded"} & event.keys()
    assert "authorizer" not in event["requestContext"]


def test_its_context_reaches_functions_and_templates_as_texts() -> None:
    asked = front(policy(**KNOWN, number=7, good=True))
    assert status(asked) == (200, "")
    ((_, event),) = asked.backend.events
    told = event["requestContext"]["authorizer"]
    assert (told["principalId"], told["number"], told["good"]) == ("user-1", "7", "true")
    assert {name: told[name] for name in KNOWN} == KNOWN
    asked.generate(REQUEST)
    assert asked.backend.started["authorizer"] == KNOWN


def test_an_operators_key_has_no_user() -> None:
    asked = front(policy(keyId="0123456789abcdef"))
    asked.generate(REQUEST)
    nothing = {"userId": "", "dedupeSeconds": ""}
    assert asked.backend.started["authorizer"] == {"keyId": "0123456789abcdef", **nothing}


def test_a_request_cannot_bring_its_own_context() -> None:
    asked = front(policy(**KNOWN))
    forged = {**REQUEST, "authorizer": {"keyId": "f", "userId": "victim"}}
    asked.generate(forged, {"userId": "victim", "authorizer": "victim"})
    assert asked.backend.started["authorizer"] == KNOWN


@pytest.mark.parametrize(
    ("answer", "failed", "expected"),
    [
        ({"errorMessage": "Unauthorized", "errorType": "Any"}, True, (401, "Unauthorized")),
        ({"errorMessage": "unauthorized"}, True, (503, "StoreUnavailable")),
        ({"errorMessage": "DynamoDB did not answer."}, True, (503, "StoreUnavailable")),
        (GatewayError("INTEGRATION_FAILURE", "x"), False, (503, "StoreUnavailable")),
        (GatewayError("INTEGRATION_TIMEOUT", "x"), False, (503, "StoreUnavailable")),
        (policy("Deny"), False, (403, "Forbidden")),
        (policy(resource=f"{STAGE_ARN}/GET/jobs"), False, (403, "Forbidden")),
        (policy(resource=f"{STAGE_ARN}x/*"), False, (403, "Forbidden")),
        (None, False, (503, "StoreUnavailable")),
        ({}, False, (503, "StoreUnavailable")),
        ({"principalId": "x"}, False, (503, "StoreUnavailable")),
        (policy("allow"), False, (503, "StoreUnavailable")),
        (policy(nested={"a": 1}), False, (503, "StoreUnavailable")),
    ],
)
def test_what_is_no_admission_lets_nobody_in(
    answer: Any, failed: bool, expected: tuple[int, str]
) -> None:
    asked = front(answer, failed=failed)
    assert status(asked) == expected
    assert asked.generate(REQUEST).status == expected[0]
    assert (asked.backend.events, asked.backend.calls) == ([], [])


def test_a_deny_goes_before_an_allow() -> None:
    answer = policy(**KNOWN)
    denied = policy("Deny", f"{STAGE_ARN}/GET/status/*")["policyDocument"]["Statement"]
    answer["policyDocument"]["Statement"] += denied
    assert status(front(answer)) == (403, "Forbidden")


def test_what_could_not_be_checked_may_be_tried_again() -> None:
    answer: Answer = front({"errorMessage": "away"}, failed=True).send("GET", "/jobs")
    assert header(answer, "Retry-After") == "5"


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "token"},
        {"authorizerUri": "arn:elsewhere"},
        {"authorizerResultTtlInSeconds": 300},
        {"identitySource": "method.request.header.Authorization"},
    ],
)
def test_another_authorizer_is_not_one_that_lets_all_in(changed: dict[str, object]) -> None:
    document = json.loads(json.dumps(api_document(ApiAuth="KEYS").document))
    scheme = document["components"]["securitySchemes"]["Caller"]
    scheme["x-amazon-apigateway-authorizer"] |= changed
    with pytest.raises(ValueError, match="authorizer"):
        ApiDocument(document)
