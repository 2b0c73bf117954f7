"""Uploads in S3: forms, looks and addresses like boto3's own."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore import auth, signers
from botocore.config import Config

from vsl.adapters import signed
from vsl.adapters.uploads import FORM_SECONDS, S3Uploads
from vsl.domain.errors import ConfigurationError, StoreUnavailable
from vsl.domain.uploads import UploadedFile, UploadRequest

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
USER, ID = "auth0|17", "019ca945-0afa-70d8-98e0-985ecc7f6041"
KEY = f"temp/uploads/auth0%7C17/{ID}"


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    naive = AT.replace(tzinfo=None)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a/token+with=signs")
    monkeypatch.setattr(signed, "_now", lambda: AT)
    monkeypatch.setattr(signed, "_PAUSE_SECONDS", 0)
    monkeypatch.setattr(auth, "get_current_datetime", lambda: naive)
    monkeypatch.setattr(signers, "get_current_datetime", lambda: naive)


def client() -> Any:
    """Of a session of its own: boto3's default one keeps the keys an earlier test had."""
    return boto3.Session().client(
        "s3",
        endpoint_url=signed.endpoint("s3"),
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )


def policy(fields: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(fields["policy"]))
    return found


def test_a_form_is_the_one_boto3_would_make() -> None:
    asked = UploadRequest("image/png", 'a "lake" \N{FOX FACE}.png', None)
    ours = S3Uploads("media").form(USER, ID, asked, 1000)
    name = "a %22lake%22 %F0%9F%A6%8A.png"
    fixed = {"Content-Type": "image/png", "x-amz-meta-file-name": name}
    theirs = client().generate_presigned_post(
        "media",
        KEY,
        Fields=fixed,
        Conditions=[*({k: v} for k, v in fixed.items()), ["content-length-range", 1, 1000]],
        ExpiresIn=FORM_SECONDS,
    )
    assert ours.url == theirs["url"]
    unsigned = {"policy", "x-amz-signature"}
    assert {k: v for k, v in ours.fields.items() if k not in unsigned} == {
        k: v for k, v in theirs["fields"].items() if k not in unsigned
    }
    expected, found = policy(theirs["fields"]), policy(ours.fields)
    assert found["expiration"] == expected["expiration"]
    assert sorted(map(str, found["conditions"])) == sorted(map(str, expected["conditions"]))
    assert ours.expires_at == AT + timedelta(seconds=FORM_SECONDS)


def test_the_signature_of_a_form_is_the_one_of_the_documentation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over our own policy: boto3 orders the conditions in its own way."""
    ours = S3Uploads("media").form(USER, ID, UploadRequest("image/png"), 1000)
    signer = auth.S3SigV4PostAuth(client()._request_signer._credentials, "s3", "us-east-1")
    request: Any = type("Request", (), {"context": {"timestamp": "20260301T120000Z"}})()
    assert signer.signature(ours.fields["policy"], request) == ours.fields["x-amz-signature"]


def test_a_size_that_was_told_is_held_to() -> None:
    form = S3Uploads("media").form(USER, ID, UploadRequest("image/png", None, 48), 1000)
    assert ["content-length-range", 48, 48] in policy(form.fields)["conditions"]
    assert "48" not in repr(form), "a form is a credential"


def answering(
    monkeypatch: pytest.MonkeyPatch, *answers: tuple[int, Mapping[str, str]] | Exception
) -> list[str]:
    left, asked = list(answers), []

    def send(method: str, url: str, _data: object, _headers: object) -> Any:
        asked.append(f"{method} {url}")
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer[0], b"", answer[1]

    monkeypatch.setattr(signed, "send", send)
    return asked


FOUND = {
    "content-type": "image/png",
    "content-length": "48",
    "last-modified": "Sun, 01 Mar 2026 11:59:00 GMT",
}


def test_a_look_is_signed_as_boto3_signs_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, TimeoutError(), (503, {}), (200, FOUND))
    found = S3Uploads("media").find(USER, ID)
    assert found == UploadedFile("image/png", 48, AT - timedelta(minutes=1))
    method, url = asked[-1].split()
    theirs = client().generate_presigned_url(
        "head_object", {"Bucket": "media", "Key": KEY}, ExpiresIn=60
    )
    assert method == "HEAD"
    assert urlsplit(url).path == urlsplit(theirs).path
    assert parse_qs(urlsplit(url).query) == parse_qs(urlsplit(theirs).query)


@pytest.mark.parametrize("status", [403, 404])
def test_without_an_object_there_is_none(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    answering(monkeypatch, (status, {}))
    assert S3Uploads("media").find(USER, ID) is None


def test_a_store_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, *[(500, FOUND)] * 3)
    with pytest.raises(StoreUnavailable):
        S3Uploads("media").find(USER, ID)
    answering(monkeypatch, (301, {}))
    with pytest.raises(ConfigurationError, match="S3 refused with 301"):
        S3Uploads("media").find(USER, ID)


def test_an_address_is_the_one_boto3_would_make() -> None:
    ours = S3Uploads("media").address(USER, ID, 1800)
    theirs = client().generate_presigned_url(
        "get_object", {"Bucket": "media", "Key": KEY}, ExpiresIn=1800
    )
    assert urlsplit(ours).path == urlsplit(theirs).path
    assert parse_qs(urlsplit(ours).query) == parse_qs(urlsplit(theirs).query)
