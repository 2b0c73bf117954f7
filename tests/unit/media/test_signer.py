"""Addresses of stored objects."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import pytest
from botocore import auth
from botocore.config import Config

from vsl.adapters import signed
from vsl.adapters.signed import endpoint
from vsl.adapters.signer import MAX_SECONDS, MIN_SECONDS, S3Signer, response_headers

KEY = "media/user%2F1/image/2026/03/01/job/0-out.png"


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def test_a_private_object_gets_an_address_for_a_while() -> None:
    url = S3Signer("bucket", 900).url(KEY, "image/png")
    assert unquote(urlsplit(url).path).endswith("/bucket/" + KEY)
    assert query(url)["X-Amz-Expires"] == "900"
    assert query(url)["X-Amz-Signature"]
    assert query(url)["response-content-type"] == "image/png"


@pytest.mark.parametrize(
    ("asked", "given"), [(0, MIN_SECONDS), (-5, MIN_SECONDS), (10**9, MAX_SECONDS)]
)
def test_the_life_of_an_address_is_bounded(asked: int, given: int) -> None:
    assert query(S3Signer("bucket", asked).url(KEY))["X-Amz-Expires"] == str(given)


def test_a_period_ends_when_addresses_have_lived_half() -> None:
    signer, start = S3Signer("bucket", 3600), datetime(2026, 3, 1, 12, tzinfo=UTC)
    periods = {signer.period(start + timedelta(minutes=minute)) for minute in range(60)}
    assert len(periods) == 2
    assert signer.period(start) != signer.period(start + timedelta(minutes=30))
    assert S3Signer("bucket", 3600, "public").period(start) is None


@pytest.mark.parametrize(
    "content_type", [None, "text/html", "image/svg+xml", "application/zip", "application/json"]
)
def test_what_is_not_media_is_handed_out_as_an_attachment(content_type: str | None) -> None:
    answer = query(S3Signer("bucket", 900).url(KEY, content_type))
    assert answer["response-content-type"] == "application/octet-stream"
    assert answer["response-content-disposition"] == "attachment"


def test_a_thumbnail_is_known_by_its_key() -> None:
    url = S3Signer("bucket", 900).url("thumbnails/u/image/2026/03/01/job/0-out.webp")
    assert query(url)["response-content-type"] == "image/webp"


@pytest.mark.parametrize("token", ["a/token+with=signs", ""])
@pytest.mark.parametrize("content_type", ["image/png", "text/html"])
def test_an_address_is_the_one_boto3_would_make(
    monkeypatch: pytest.MonkeyPatch, content_type: str, token: str
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", token) if token else monkeypatch.delenv(
        "AWS_SESSION_TOKEN", raising=False
    )
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    monkeypatch.setattr(auth, "get_current_datetime", lambda: at.replace(tzinfo=None))
    monkeypatch.setattr(signed, "_now", lambda: at)
    client = boto3.Session().client(
        "s3",
        # Its own choice for us-east-1 would be the old global address.
        endpoint_url=endpoint("s3"),
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    wanted = response_headers(KEY, content_type)
    names = {
        "response-content-type": "ResponseContentType",
        "response-content-disposition": "ResponseContentDisposition",
    }
    theirs = client.generate_presigned_url(
        "get_object",
        Params={"Bucket": "bucket", "Key": KEY} | {names[k]: v for k, v in wanted.items()},
        ExpiresIn=900,
    )
    ours = S3Signer("bucket", 900).url(KEY, content_type)
    assert urlsplit(ours).path == urlsplit(theirs).path
    assert query(ours) == query(theirs)


def test_in_a_public_bucket_addresses_are_plain() -> None:
    private = S3Signer("bucket", 900).url(KEY, "image/png")
    public = S3Signer("bucket", 900, "public").url(KEY, "image/png")
    assert public == private.partition("?")[0]
