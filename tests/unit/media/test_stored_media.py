"""One output on its way into the bucket, and every way of running it a second time."""

import base64
import hashlib
import json
import logging
from typing import Any

import pytest

from tests.support import media_files
from tests.support.jobs import make_job
from tests.unit.media.conftest import BUCKET
from vsl.adapters.http.download import Downloads
from vsl.adapters.media import probe as probe_module
from vsl.adapters.media import stored_media as media_module
from vsl.adapters.media.facts import Probe
from vsl.adapters.media.stored_media import StoredMedia
from vsl.adapters.s3.objects import ObjectStore
from vsl.domain.errors import DownloadFailed, OutputInvalid, StoreUnavailable
from vsl.domain.jobs import object_keys
from vsl.domain.jobs.job import MediaAsset
from vsl.domain.jobs.owner_names import OwnerNames
from vsl.domain.predictions.output import OutputKind

JOB = make_job()


def data_url(content: bytes, declared: str = "application/octet-stream") -> str:
    return f"data:{declared};base64,{base64.b64encode(content).decode()}"


def contents(s3: Any, prefix: str = "") -> dict[str, bytes]:
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return {
        entry["Key"]: s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
        for entry in listed
    }


def record(s3: Any, index: int = 0) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(contents(s3)[object_keys.record_key(JOB, index)])
    return document


def test_an_image_is_stored_measured_and_shown(s3: Any, media: StoredMedia) -> None:
    content = media_files.image_file("PNG", 1024, 768)
    asset = media.store(JOB, 2, data_url(content))
    assert asset == MediaAsset(
        index=2,
        s3_key=f"{object_keys.media_prefix(JOB)}2-output.png",
        content_type="image/png",
        file_size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        thumbnail_key=f"{object_keys.thumbnail_prefix(JOB)}2-output.webp",
        width=1024,
        height=768,
        codec="png",
    )
    stored = contents(s3)
    assert stored[asset.s3_key] == content
    assert stored[asset.thumbnail_key or ""][8:12] == b"WEBP"
    assert set(stored) == {asset.s3_key, asset.thumbnail_key, object_keys.record_key(JOB, 2)}


def test_an_opaque_name_takes_the_users_place_in_every_key(s3: Any, objects: ObjectStore) -> None:
    owners = OwnerNames(opaque=True, secrets=lambda: "n" * 32)
    media = StoredMedia(objects, Downloads([], max_bytes=10**8), owners)
    link = data_url(media_files.image_file("PNG", 64, 48))
    asset = media.store(JOB, 0, link)
    assert asset.s3_key == owners.current(f"{object_keys.media_prefix(JOB)}0-output.png")
    assert asset.thumbnail_key == owners.current(
        f"{object_keys.thumbnail_prefix(JOB)}0-output.webp"
    )
    stored = set(contents(s3))
    assert stored == {asset.s3_key, asset.thumbnail_key, object_keys.record_key(JOB, 0)}
    assert not [key for key in stored if JOB.user_id in key]
    assert media.store(JOB, 0, link) == asset
    # The choice was changed between two runs of the step: what is stored is not stored again.
    later = StoredMedia(objects, Downloads([], max_bytes=10**8))
    assert later.store(JOB, 0, link) == asset
    assert set(contents(s3)) == stored


def test_a_video_and_a_sound(media: StoredMedia) -> None:
    video = media.store(JOB, 0, data_url(media_files.video_file()))
    assert (video.content_type, video.codec, video.fps, video.duration) == (
        "video/mp4",
        "h264",
        12.0,
        2.0,
    )
    sound = media.store(JOB, 1, data_url(media_files.audio_file("mp3", "libmp3lame", 1)))
    assert (sound.content_type, sound.codec, sound.width) == ("audio/mpeg", "mp3", None)
    assert sound.thumbnail_key


def test_the_declared_type_is_not_believed(
    media: StoredMedia, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "vsl")
    asset = media.store(JOB, 0, data_url(media_files.image_file("WEBP"), "image/png"))
    assert asset.content_type == "image/webp"
    assert "not of the type its server declared" in caplog.text
    page = media.store(JOB, 1, data_url(media_files.ERROR_PAGE, "image/png"))
    assert page.content_type == "application/octet-stream"


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    "content", [media_files.ERROR_PAGE, SVG, b"alert(1)", b"%PDF-1.7", b"PK\x03\x04", bytes(256)]
)
def test_what_is_not_media_is_kept_and_runs_nowhere_even_in_a_public_bucket(
    s3: Any, media: StoredMedia, content: bytes
) -> None:
    """In a public bucket S3 serves what the object itself says it is."""
    asset = media.store(JOB, 0, data_url(content, "text/html"))
    answer = s3.get_object(Bucket=BUCKET, Key=asset.s3_key)
    assert answer["Body"].read() == content
    assert answer["ContentType"] == "application/octet-stream"
    assert answer["ContentDisposition"] == "attachment"
    assert asset.thumbnail_key is None


@pytest.mark.parametrize(
    ("kind", "name", "content_type"),
    [
        (OutputKind.TEXT, "0-output.txt", "text/plain"),
        (OutputKind.JSON, "0-output.json", "application/json"),
    ],
)
@pytest.mark.parametrize("content", [b"GIF89a is a format", SVG, b"A fox.", b"BM\0\0"])
def test_what_a_model_wrote_is_text_whatever_it_begins_with(
    s3: Any, media: StoredMedia, kind: OutputKind, name: str, content_type: str, content: bytes
) -> None:
    asset = media.store(make_job(output=kind), 0, data_url(content, content_type))
    assert (asset.s3_key.rpartition("/")[2], asset.content_type) == (name, content_type)
    assert (asset.thumbnail_key, asset.width, asset.duration) == (None, None, None)
    answer = s3.get_object(Bucket=BUCKET, Key=asset.s3_key)
    assert answer["Body"].read() == content
    assert answer["ContentType"] == "application/octet-stream"
    assert answer["ContentDisposition"] == "attachment"


def test_a_large_file_that_is_not_media_runs_nowhere_either(s3: Any) -> None:
    part = 5 * 1024**2
    media = StoredMedia(ObjectStore(BUCKET, s3, part), Downloads([], max_bytes=10**8))
    asset = media.store(JOB, 0, data_url(SVG + b" " * part, "image/svg+xml"))
    answer = s3.head_object(Bucket=BUCKET, Key=asset.s3_key)
    assert (answer["ContentType"], answer["ContentDisposition"]) == (
        "application/octet-stream",
        "attachment",
    )


def test_media_is_shown_in_the_browser(s3: Any, media: StoredMedia) -> None:
    asset = media.store(JOB, 0, data_url(media_files.image_file("PNG")))
    answer = s3.head_object(Bucket=BUCKET, Key=asset.s3_key)
    assert answer["ContentType"] == "image/png"
    assert "ContentDisposition" not in answer


def test_an_empty_file_leaves_nothing(s3: Any, media: StoredMedia) -> None:
    with pytest.raises(OutputInvalid):
        media.store(JOB, 0, data_url(b"", "image/png"))
    assert contents(s3) == {}


class Breaking:
    """Downloads that break off so many times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self._inner = Downloads([], max_bytes=10**8)

    def open(self, url: str) -> Any:
        if self.times:
            self.times -= 1
            raise DownloadFailed("broke off", httpStatus=503)
        return self._inner.open(url)


def test_the_failures_of_a_download_are_counted_over_the_runs(s3: Any) -> None:
    media = StoredMedia(ObjectStore(BUCKET, s3), Breaking(3))  # type: ignore[arg-type]
    content = media_files.image_file("PNG")
    for failures in (1, 2, 3):
        with pytest.raises(DownloadFailed) as caught:
            media.store(JOB, 0, data_url(content))
        assert caught.value.details == {"failures": failures, "httpStatus": 503}
    assert media.store(JOB, 0, data_url(content)).width == 320
    media = StoredMedia(ObjectStore(BUCKET, s3), Breaking(1))  # type: ignore[arg-type]
    with pytest.raises(DownloadFailed) as caught:
        media.store(JOB, 0, data_url(content + b"!"))
    assert caught.value.details["failures"] == 1, "another file's failures are not this one's"


def test_a_file_that_cannot_be_looked_into_is_delivered(
    s3: Any, media: StoredMedia, caplog: pytest.LogCaptureFixture
) -> None:
    content = media_files.video_file()[:5000]
    asset = media.store(JOB, 0, data_url(content))
    assert contents(s3)[asset.s3_key] == content
    assert (asset.width, asset.duration, asset.thumbnail_key) == (None, None, None)
    assert [entry.message for entry in caplog.records] == [
        "output could not be looked into completely"
    ]
    assert "InvalidDataError" in vars(caplog.records[0])["reason"]


def test_extra_data_is_stored_as_it_is(s3: Any, media: StoredMedia) -> None:
    content = b"PK\x03\x04" + bytes(100)
    asset = media.store(JOB, 1, data_url(content))
    assert (asset.content_type, asset.thumbnail_key) == ("application/zip", None)
    assert contents(s3)[asset.s3_key] == content


def test_a_file_in_several_parts_is_looked_into_where_it_lies(s3: Any) -> None:
    part = 5 * 1024**2
    head, zeros = media_files.padded(media_files.video_file(), 2 * part + 1)
    media = StoredMedia(ObjectStore(BUCKET, s3, part), Downloads([], max_bytes=10**8))
    asset = media.store(JOB, 0, data_url(head + bytes(zeros)))
    assert (asset.file_size, asset.width, asset.duration) == (2 * part + 1, 320, 2.0)
    assert asset.sha256 == hashlib.sha256(head + bytes(zeros)).hexdigest()
    assert asset.thumbnail_key in contents(s3, "thumbnails/")


def test_sound_in_a_container_for_films_is_stored_as_sound(s3: Any, media: StoredMedia) -> None:
    content = media_files.audio_file("mp4", "aac", 1)
    asset = media.store(JOB, 0, data_url(content))
    assert (asset.content_type, asset.codec, asset.width) == ("audio/mp4", "aac", None)
    assert asset.s3_key.endswith("0-output.mp4")
    answer = s3.get_object(Bucket=BUCKET, Key=asset.s3_key)
    assert (answer["ContentType"], answer["Body"].read()) == ("audio/mp4", content)
    assert media.store(JOB, 0, data_url(content)) == asset
    assert record(s3)["asset"]["contentType"] == "audio/mp4"


def test_a_large_sound_in_a_container_for_films_is_stored_as_sound(s3: Any) -> None:
    part = 5 * 1024**2
    head, zeros = media_files.padded(media_files.audio_file("mp4", "aac", 1), part + 1)
    media = StoredMedia(ObjectStore(BUCKET, s3, part), Downloads([], max_bytes=10**8))
    asset = media.store(JOB, 0, data_url(head + bytes(zeros)))
    assert (asset.content_type, asset.file_size) == ("audio/mp4", part + 1)
    answer = s3.head_object(Bucket=BUCKET, Key=asset.s3_key)
    assert (answer["ContentType"], answer["ContentLength"]) == ("audio/mp4", part + 1)


class Counting:
    """Counts what a second run does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.uploads = self.probes = 0
        upload, probe = ObjectStore.upload, probe_module.probe

        def counted_upload(*arguments: Any) -> Any:
            self.uploads += 1
            return upload(*arguments)

        def counted_probe(*arguments: Any) -> Probe:
            self.probes += 1
            return probe(*arguments)

        monkeypatch.setattr(ObjectStore, "upload", counted_upload)
        monkeypatch.setattr(media_module, "probe", counted_probe)


def test_a_second_run_does_nothing_and_says_the_same(
    media: StoredMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(monkeypatch)
    url = data_url(media_files.image_file("PNG"))
    assert media.store(JOB, 0, url) == media.store(JOB, 0, url)
    assert (counting.uploads, counting.probes) == (1, 1)


def test_another_file_under_the_same_index_is_stored_anew(
    s3: Any, media: StoredMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(monkeypatch)
    media.store(JOB, 0, data_url(media_files.image_file("PNG")))
    second = media_files.image_file("PNG", 50, 50)
    asset = media.store(JOB, 0, data_url(second))
    assert counting.uploads == 2
    assert (asset.width, contents(s3)[asset.s3_key]) == (50, second)


@pytest.mark.parametrize("loss", ["deleted", "cut"])
def test_a_record_without_its_object_is_not_believed(
    s3: Any, media: StoredMedia, monkeypatch: pytest.MonkeyPatch, loss: str
) -> None:
    counting = Counting(monkeypatch)
    content = media_files.image_file("PNG")
    asset = media.store(JOB, 0, data_url(content))
    if loss == "deleted":
        s3.delete_object(Bucket=BUCKET, Key=asset.s3_key)
    else:
        s3.put_object(Bucket=BUCKET, Key=asset.s3_key, Body=content[:-1])
    assert media.store(JOB, 0, data_url(content)) == asset
    assert counting.uploads == 2
    assert contents(s3)[asset.s3_key] == content


def test_after_a_death_while_decoding_the_file_is_delivered_without_another_look(
    s3: Any,
    media: StoredMedia,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Killed(BaseException):
        """As sudden as a signal: nothing of ours runs afterwards."""

    def die(*_: Any) -> Probe:
        assert record(s3)["state"] == "probing"
        raise Killed

    url = data_url(media_files.image_file("PNG"))
    with monkeypatch.context() as patch:
        patch.setattr(media_module, "probe", die)
        with pytest.raises(Killed):
            media.store(JOB, 0, url)
    counting = Counting(monkeypatch)
    asset = media.store(JOB, 0, url)
    assert (counting.uploads, counting.probes) == (0, 0)
    assert (asset.content_type, asset.width, asset.thumbnail_key) == ("image/png", None, None)
    assert "died while looking into it" in caplog.text
    assert record(s3)["state"] == "complete"


def test_after_a_fault_of_the_store_the_next_run_looks_again(
    s3: Any, media: StoredMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = ObjectStore.put

    def failing_put(self: ObjectStore, key: str, body: bytes, content_type: str) -> None:
        if key.startswith(object_keys.THUMBNAIL_PREFIX):
            raise StoreUnavailable("S3 did not answer.")
        put(self, key, body, content_type)

    url = data_url(media_files.image_file("PNG"))
    with monkeypatch.context() as patch:
        patch.setattr(ObjectStore, "put", failing_put)
        with pytest.raises(StoreUnavailable):
            media.store(JOB, 0, url)
    assert record(s3)["state"] == "stored"
    counting = Counting(monkeypatch)
    asset = media.store(JOB, 0, url)
    assert (counting.uploads, counting.probes) == (0, 1)
    assert (asset.width, asset.thumbnail_key in contents(s3)) == (320, True)
