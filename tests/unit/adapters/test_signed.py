"""One JSON call without a client: signed, repeated when that may help, its faults told apart."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from http.client import RemoteDisconnected

import pytest
from botocore import auth, credentials
from botocore.awsrequest import AWSRequest

from vsl.adapters import signed, sigv4
from vsl.adapters.signed import call_json, endpoint
from vsl.adapters.sigv4 import Credentials
from vsl.domain.errors import ConfigurationError, StoreUnavailable

TARGET = "AmazonSSM.GetParametersByPath"


class Service:
    """Answers in turn; an exception in the list is raised."""

    def __init__(self, *answers: tuple[int, object] | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, Mapping[str, str]]] = []

    def __call__(
        self, _method: str, url: str, _data: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes, Mapping[str, str]]:
        self.requests.append((url, headers))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        return status, body if isinstance(body, bytes) else json.dumps(body).encode(), {}


def ask(monkeypatch: pytest.MonkeyPatch, *answers: tuple[int, object] | Exception) -> Service:
    service = Service(*answers)
    monkeypatch.setattr(signed, "send", service)
    monkeypatch.setattr(signed, "_PAUSE_SECONDS", 0)
    return service


def test_a_call_is_signed_with_the_session_of_the_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-the-role")
    service = ask(monkeypatch, (200, {"Parameters": []}))
    assert call_json("ssm", TARGET, {"Path": "/vsl/"}) == {"Parameters": []}
    ((url, headers),) = service.requests
    assert url == endpoint("ssm") + "/"
    assert headers["X-Amz-Target"] == TARGET
    assert headers["X-Amz-Security-Token"] == "of-the-role"
    assert "/ssm/aws4_request" in headers["Authorization"]


@pytest.mark.parametrize("token", ["of-the-role", None])
def test_the_signature_is_botocores(monkeypatch: pytest.MonkeyPatch, token: str | None) -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    monkeypatch.setattr(auth, "get_current_datetime", lambda: at.replace(tzinfo=None))
    url, body = "https://ssm.eu-central-1.amazonaws.com/", b'{"Path":"/vsl/"}'
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": TARGET}
    request = AWSRequest("POST", url, data=body, headers=dict(headers))
    theirs = credentials.Credentials("AKIA", "secret", token)  # pragma: allowlist secret
    auth.SigV4Auth(theirs, "ssm", "eu-central-1").add_auth(request)
    ours = sigv4.authorize(
        url, body, headers, "ssm", Credentials("AKIA", "secret", token), "eu-central-1", at
    )
    assert ours["Authorization"] == request.headers["Authorization"]


@pytest.mark.parametrize(
    "fault",
    [
        TimeoutError("slow"),
        RemoteDisconnected("gone"),
        (500, b"<html>"),
        (400, {"__type": "ThrottlingException"}),
    ],
)
def test_what_may_pass_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, fault: tuple[int, object] | Exception
) -> None:
    assert call_json_after(monkeypatch, fault, fault, (200, {"fine": 1})) == {"fine": 1}
    with pytest.raises(StoreUnavailable):
        call_json_after(monkeypatch, fault, fault, fault)


def call_json_after(
    monkeypatch: pytest.MonkeyPatch, *answers: tuple[int, object] | Exception
) -> object:
    ask(monkeypatch, *answers)
    return call_json("ssm", TARGET, {})


def test_a_refusal_is_told_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    service = ask(monkeypatch, (400, {"__type": "com.amazon#AccessDeniedException"}))
    with pytest.raises(ConfigurationError, match="AccessDeniedException"):
        call_json("ssm", TARGET, {})
    assert len(service.requests) == 1


def test_where_a_service_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert endpoint("s3") == "https://s3.eu-central-1.amazonaws.com"
    monkeypatch.setenv("AWS_REGION", "cn-north-1")
    assert endpoint("s3") == "https://s3.cn-north-1.amazonaws.com.cn"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566/")
    assert endpoint("s3") == "http://127.0.0.1:4566"
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:4567")
    assert endpoint("ssm") == "http://127.0.0.1:4567"
