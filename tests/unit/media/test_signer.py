"""Addresses of stored objects."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import pytest
from botocore import auth

from vsl.adapters.aws import clients
from vsl.adapters.s3 import signer as signer_of_s3
from vsl.adapters.s3.signer import MAX_SECONDS, MIN_SECONDS, S3Signer, response_headers

KEY = "media/user%2F1/image/2026/03/01/job/0-out.png"


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    clients.forget()
    yield
    clients.forget()


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
    wanted = response_headers(KEY, content_type)
    names = {
        "response-content-type": "ResponseContentType",
        "response-content-disposition": "ResponseContentDisposition",
    }
    theirs = clients.client("s3").generate_presigned_url(
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


@pytest.mark.parametrize(
    ("region", "fips", "host"),
    [
        ("us-east-1", "", "s3.us-east-1.amazonaws.com"),
        ("us-east-1", "true", "s3-fips.us-east-1.amazonaws.com"),
        ("us-gov-west-1", "true", "s3-fips.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "", "s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_an_address_is_where_the_partition_has_s3(
    monkeypatch: pytest.MonkeyPatch, region: str, fips: str, host: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", fips)
    url = S3Signer("bucket", 900).url(KEY, "image/png")
    assert urlsplit(url).netloc == host
    assert f"/{region}/s3/aws4_request" in query(url)["X-Amz-Credential"]


def test_an_address_is_kept_for_as_long_as_the_entity_tag_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start, moved = datetime(2026, 3, 1, 12, tzinfo=UTC), timedelta()
    monkeypatch.setattr(signer_of_s3, "_now", lambda: start + moved)
    monkeypatch.setattr(auth, "get_current_datetime", lambda: (start + moved).replace(tzinfo=None))
    signer = S3Signer("bucket", 3600)
    first = signer.url(KEY, "image/png")
    moved = timedelta(minutes=29)
    assert signer.period(start) == signer.period(start + moved)
    assert signer.url(KEY, "image/png") == first
    moved = timedelta(minutes=30)
    assert signer.url(KEY, "image/png") != first


def test_an_address_ends_with_the_credentials_that_signed_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    signer = S3Signer("bucket", 3600)
    first = signer.url(KEY, "image/png")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "renewed")
    monkeypatch.setattr(clients, "session", boto3.Session)
    assert query(signer.url(KEY, "image/png"))["X-Amz-Credential"].startswith("renewed/")
    assert not query(first)["X-Amz-Credential"].startswith("renewed/")
