"""Uploads in parts, reads in ranges, and what is left when something breaks."""

import base64
import hashlib
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from tests.unit.media.conftest import BUCKET
from vsl.adapters.s3 import objects as s3_module
from vsl.adapters.s3.objects import ObjectStore
from vsl.domain.errors import ConfigurationError, DownloadFailed, StoreUnavailable

MIB = 1024**2
PART = 5 * MIB  # the smallest S3 takes


def pieces(content: bytes, size: int = 100_003) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


class Spy:
    """A client that notes its calls and may fail one of them."""

    def __init__(self, client: Any, failing: str = "", error: Exception | None = None) -> None:
        self._client = client
        self._failing = failing
        self._error = error
        self.calls: list[str] = []
        self.arguments: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.calls.append(name)
            self.arguments.append(arguments)
            if name == self._failing and self._error is not None:
                raise self._error
            return getattr(self._client, name)(**arguments)

        return call


@pytest.mark.parametrize("size", [1, PART - 1, PART])
def test_what_fits_in_one_part_goes_up_in_one_request(s3: Any, size: int) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    content = content[:size]
    spy = Spy(s3)
    uploaded = ObjectStore(BUCKET, spy, PART).upload("a.png", pieces(content), "image/png")
    assert spy.calls == ["put_object"]
    assert (uploaded.size, bytes(uploaded.body or b"")) == (size, content)
    digest = hashlib.sha256(content)
    assert uploaded.sha256 == digest.hexdigest()
    assert spy.arguments[0]["ChecksumSHA256"] == base64.b64encode(digest.digest()).decode()
    stored = s3.get_object(Bucket=BUCKET, Key="a.png")
    assert stored["Body"].read() == content
    assert stored["ContentType"] == "image/png"


@pytest.mark.parametrize("size", [PART + 1, 2 * PART, 2 * PART + 12_345])
@pytest.mark.parametrize("piece", [65_536, 3 * PART])
def test_what_is_larger_goes_up_in_parts(s3: Any, size: int, piece: int) -> None:
    content = (bytes(range(251)) * (size // 251 + 1))[:size]
    spy = Spy(s3)
    store = ObjectStore(BUCKET, spy, PART)
    uploaded = store.upload("a.mp4", pieces(content, piece), "video/mp4")
    assert spy.calls.count("upload_part") == -(-size // PART)
    assert "put_object" not in spy.calls
    assert (uploaded.size, uploaded.body) == (size, None)
    assert uploaded.sha256 == hashlib.sha256(content).hexdigest()
    stored = s3.get_object(Bucket=BUCKET, Key="a.mp4")
    assert stored["Body"].read() == content
    assert stored["ContentType"] == "video/mp4"
    assert store.size("a.mp4") == size


def test_a_download_that_breaks_leaves_nothing(s3: Any) -> None:
    def breaking() -> Iterator[bytes]:
        yield bytes(2 * PART + 1)
        raise DownloadFailed("gone")

    with pytest.raises(DownloadFailed):
        ObjectStore(BUCKET, s3, PART).upload("a.mp4", breaking(), "video/mp4")
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


@pytest.mark.parametrize("failing", ["upload_part", "complete_multipart_upload"])
def test_a_part_that_fails_aborts_the_upload(s3: Any, failing: str) -> None:
    answer: Any = {
        "Error": {"Code": "SlowDown"},
        "ResponseMetadata": {"HTTPStatusCode": 503},
    }
    spy = Spy(s3, failing, ClientError(answer, "x"))
    with pytest.raises(StoreUnavailable):
        ObjectStore(BUCKET, spy, PART).upload("a.mp4", pieces(bytes(2 * PART + 1)), "video/mp4")
    assert spy.calls[-1] == "abort_multipart_upload"
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)


def test_an_abort_that_fails_does_not_hide_the_reason(s3: Any) -> None:
    def breaking() -> Iterator[bytes]:
        yield bytes(PART + 1)
        raise DownloadFailed("gone")

    gone = ConnectTimeoutError(endpoint_url="https://s3")
    spy = Spy(s3, "abort_multipart_upload", gone)
    with pytest.raises(DownloadFailed):
        ObjectStore(BUCKET, spy, PART).upload("a.mp4", breaking(), "video/mp4")


def test_only_two_parts_are_in_memory(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The third part is filled into the first one's memory, once that has arrived."""
    made = 0

    class Part(bytearray):
        def __init__(self, size: int) -> None:
            nonlocal made
            super().__init__(size)
            made += 1

    monkeypatch.setattr(s3_module, "bytearray", Part, raising=False)
    content = (bytes([number % 251]) * 65_536 for number in range(4 * PART // 65_536 - 7))
    uploaded = ObjectStore(BUCKET, s3, PART).upload("a.mp4", content, "video/mp4")
    assert made == 2
    stored = s3.get_object(Bucket=BUCKET, Key="a.mp4")["Body"].read()
    assert hashlib.sha256(stored).hexdigest() == uploaded.sha256


def test_no_upload_waits_to_be_told_that_it_may_go_on(s3: Any) -> None:
    """`Expect: 100-continue` costs a whole round trip before the first byte."""
    expecting: list[bool] = []

    def note(request: Any, **_: Any) -> None:
        if request.method == "PUT":
            expecting.append("Expect" in request.headers)

    s3.meta.events.register("before-send.s3", note)
    try:
        store = ObjectStore(BUCKET, s3, PART)
        store.put("a", b"small", "text/plain")
        store.upload("b.png", pieces(b"one part"), "image/png")
        store.upload("c.mp4", pieces(bytes(PART + 1)), "video/mp4")
    finally:
        s3.meta.events.unregister("before-send.s3", note)
    assert expecting == [False] * 4


def test_reading(objects: ObjectStore) -> None:
    objects.put("a", b"0123456789", "text/plain")
    assert objects.get("a") == b"0123456789"
    assert objects.read_range("a", 2, 3) == b"234"
    assert objects.size("a") == 10
    assert objects.get("b") is None
    assert objects.size("b") is None


@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_without_the_right_to_list_absent_answers_403(s3: Any, operation: str) -> None:
    error = ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, operation)
    store = ObjectStore(BUCKET, Spy(s3, operation, error))
    assert (store.get("a") if operation == "get_object" else store.size("a")) is None


def test_the_stores_faults_are_named(s3: Any) -> None:
    timeout = ConnectTimeoutError(endpoint_url="https://s3")
    with pytest.raises(StoreUnavailable):
        ObjectStore(BUCKET, Spy(s3, "put_object", timeout)).put("a", b"x", "text/plain")
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject")
    with pytest.raises(ConfigurationError):
        ObjectStore(BUCKET, Spy(s3, "put_object", denied)).put("a", b"x", "text/plain")


@pytest.mark.parametrize("expected", [1, PART // 2, PART, PART + 1, 3 * PART, 10 * PART])
def test_what_comes_counts_and_not_what_was_declared(s3: Any, expected: int) -> None:
    content = (bytes(range(251)) * (2 * PART // 251 + 1))[: 2 * PART - 7]
    spy = Spy(s3)
    uploaded = ObjectStore(BUCKET, spy, PART).upload(
        "a.mp4", pieces(content), "video/mp4", expected
    )
    assert uploaded.sha256 == hashlib.sha256(content).hexdigest()
    assert s3.get_object(Bucket=BUCKET, Key="a.mp4")["Body"].read() == content
    assert spy.calls.count("create_multipart_upload") == 1


def test_a_small_file_takes_no_more_memory_than_it_needs(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    class Part(bytearray):
        def __init__(self, size: int) -> None:
            super().__init__(size)
            sizes.append(size)

    monkeypatch.setattr(s3_module, "bytearray", Part, raising=False)
    uploaded = ObjectStore(BUCKET, s3, PART).upload("a.png", pieces(bytes(999)), "image/png", 999)
    assert (sizes, uploaded.size) == ([999], 999)


def test_a_large_file_is_announced_while_its_first_part_comes_in(s3: Any) -> None:
    spy = Spy(s3)
    published = False

    def chunks() -> Iterator[bytes]:
        nonlocal published
        yield bytes(100)
        for _ in range(1000):
            published = "create_multipart_upload" in spy.calls
            if published:
                break
            time.sleep(0.01)
        yield bytes(PART)

    ObjectStore(BUCKET, spy, PART).upload("a.mp4", chunks(), "video/mp4", PART + 100)
    assert published


def test_one_that_could_not_be_announced_says_why(s3: Any) -> None:
    spy = Spy(s3, "create_multipart_upload", ConnectTimeoutError(endpoint_url="https://s3"))
    with pytest.raises(StoreUnavailable):
        ObjectStore(BUCKET, spy, PART).upload(
            "a.mp4", pieces(bytes(PART + 1)), "video/mp4", PART + 1
        )
    assert set(spy.calls) == {"create_multipart_upload"}


def test_a_download_that_breaks_after_the_announcement_leaves_nothing(s3: Any) -> None:
    def breaking() -> Iterator[bytes]:
        yield b"x"
        raise DownloadFailed("gone")

    spy = Spy(s3)
    with pytest.raises(DownloadFailed):
        ObjectStore(BUCKET, spy, PART).upload("a.mp4", breaking(), "video/mp4", 2 * PART)
    # Nothing at all if the other thread had not come to it yet.
    assert spy.calls in ([], ["create_multipart_upload", "abort_multipart_upload"])
