"""Uploads in S3: forms, looks and addresses."""

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from botocore import auth, endpoint, signers
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.exceptions import ClientError, ConnectTimeoutError

from vsl.adapters.aws import clients
from vsl.adapters.s3 import uploads as uploads_of_s3
from vsl.adapters.s3.uploads import FORM_SECONDS, S3Uploads
from vsl.domain.catalogue.uploads import UploadedFile, UploadRequest
from vsl.domain.errors import StoreUnavailable
from vsl.domain.jobs.owner_names import OwnerNames

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
USER, ID = "auth0|17", "019ca945-0afa-70d8-98e0-985ecc7f6041"
KEY = f"temp/uploads/auth0%7C17/{ID}"


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    naive = AT.replace(tzinfo=None)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a/token+with=signs")
    monkeypatch.setattr(uploads_of_s3, "_now", lambda: AT)
    monkeypatch.setattr(endpoint, "time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr(auth, "get_current_datetime", lambda: naive)
    monkeypatch.setattr(signers, "get_current_datetime", lambda: naive)
    clients.forget()
    yield
    clients.forget()


def policy(fields: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(fields["policy"]))
    return found


def test_a_form_says_what_s3_will_take() -> None:
    asked = UploadRequest("image/png", 'a "lake" \N{FOX FACE}.png', None)
    form = S3Uploads("media").form(USER, ID, asked, 1000)
    assert form.url == "https://s3.us-east-1.amazonaws.com/media"
    name = "a %22lake%22 %F0%9F%A6%8A.png"
    fixed = {"key": KEY, "Content-Type": "image/png", "x-amz-meta-file-name": name}
    assert fixed.items() <= form.fields.items()
    assert form.fields["x-amz-security-token"] == "a/token+with=signs"
    assert form.fields["x-amz-date"] == "20260301T120000Z"
    said = policy(form.fields)
    conditions = said["conditions"]
    assert said["expiration"] == "2026-03-01T12:10:00Z"
    assert {"bucket": "media"} in conditions
    assert ["content-length-range", 1, 1000] in conditions
    # Every field that the user sends is one that the policy fixes.
    fields = {name for name in form.fields if name not in {"policy", "x-amz-signature"}}
    assert fields == {name for each in conditions if isinstance(each, dict) for name in each} - {
        "bucket"
    }
    assert form.expires_at == AT + timedelta(seconds=FORM_SECONDS)


def test_a_size_that_was_told_is_held_to() -> None:
    form = S3Uploads("media").form(USER, ID, UploadRequest("image/png", None, 48), 1000)
    assert ["content-length-range", 48, 48] in policy(form.fields)["conditions"]
    assert "48" not in repr(form), "a form is a credential"


class Body(BytesIO):
    """An empty one, as urllib3 hands it over."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


def answering(*answers: tuple[int, Mapping[str, str]] | Exception) -> list[str]:
    """What S3 answers to the calls that follow; the requests, as they come."""
    left, asked = list(answers), []

    def send(request: Any, **_: Any) -> AWSResponse:
        asked.append(f"{request.method} {request.url}")
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        headers: Any = HeadersDict(answer[1])
        return AWSResponse(request.url, answer[0], headers, Body())

    clients.forget()
    clients.client("s3").meta.events.register_first("before-send.s3", send)
    return asked


FOUND = {
    "content-type": "image/png",
    "content-length": "48",
    "last-modified": "Sun, 01 Mar 2026 11:59:00 GMT",
}


def test_a_look_finds_what_s3_tells() -> None:
    asked = answering(ConnectTimeoutError(endpoint_url="s3"), (200, FOUND))
    found = S3Uploads("media").find(USER, ID)
    assert found == UploadedFile("image/png", 48, AT - timedelta(minutes=1))
    assert {each.split()[0] for each in asked} == {"HEAD"}
    assert {unquote(urlsplit(each.split()[1]).path) for each in asked} == {f"/media/{KEY}"}


@pytest.mark.parametrize("status", [403, 404])
def test_without_an_object_there_is_none(status: int) -> None:
    answering((status, {}))
    assert S3Uploads("media").find(USER, ID) is None


def test_a_store_that_is_away_is_told() -> None:
    answering(*[(500, FOUND)] * clients.ATTEMPTS)
    with pytest.raises(StoreUnavailable):
        S3Uploads("media").find(USER, ID)


def test_an_answer_of_another_kind_surfaces() -> None:
    answering((405, {}))
    with pytest.raises(ClientError, match="405"):
        S3Uploads("media").find(USER, ID)


def test_an_address_is_the_one_a_client_would_make() -> None:
    ours = S3Uploads("media").address(USER, ID, 1800)
    theirs = clients.client("s3").generate_presigned_url(
        "get_object", {"Bucket": "media", "Key": KEY}, ExpiresIn=1800
    )
    assert urlsplit(ours).path == urlsplit(theirs).path
    assert parse_qs(urlsplit(ours).query) == parse_qs(urlsplit(theirs).query)


def places(*, opaque: bool) -> tuple[S3Uploads, list[str]]:
    """Uploads of a stage that has a secret, and the places of one, the current one first."""
    owners = OwnerNames(opaque=opaque, secrets=lambda: "n" * 32)
    return S3Uploads("media", owners), list(owners.every(KEY))


@pytest.mark.parametrize("opaque", [True, False])
def test_a_file_is_asked_for_under_the_current_name(opaque: bool) -> None:
    uploads, (current, _) = places(opaque=opaque)
    assert uploads.form(USER, ID, UploadRequest("image/png"), 1000).fields["key"] == current
    assert ("auth0" in current) is not opaque


@pytest.mark.parametrize("opaque", [True, False])
@pytest.mark.parametrize("lies_in", [0, 1])
def test_an_upload_of_before_the_change_is_found(
    lies_in: int,
    *,
    opaque: bool,
) -> None:
    uploads, keys = places(opaque=opaque)
    answers: list[Any] = [(403, {})] * lies_in + [(200, FOUND)]
    asked = answering(*answers)
    assert uploads.find(USER, ID) is not None
    looked_at = [unquote(urlsplit(each.split()[1]).path) for each in asked]
    assert looked_at == [f"/media/{key}" for key in keys[: lies_in + 1]]
    answering(*answers)
    address = uploads.address(USER, ID, 60)
    assert unquote(urlsplit(address).path) == f"/media/{keys[lies_in]}"


def test_an_upload_that_is_nowhere_is_none() -> None:
    uploads, (current, _) = places(opaque=True)
    answering((403, {}), (403, {}))
    assert uploads.find(USER, ID) is None
    answering((403, {}), (403, {}))
    assert urlsplit(uploads.address(USER, ID, 60)).path == f"/media/{current}"
