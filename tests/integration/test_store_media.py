"""From a real HTTP server to a real S3 endpoint: liars, breakers, bombs and sheer size."""

import hashlib
import io
import json
import os
import socket
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from PIL import Image

from devstack.engine import Engine
from devstack.servers import free_port
from tests.support import media_files, web
from tests.support.file_server import FileServer, answer, file_server
from tests.support.jobs import make_job
from vsl.adapters.clock import SystemClock
from vsl.adapters.http.download import Downloads
from vsl.adapters.media.stored_media import StoredMedia
from vsl.adapters.s3.object_removal import ObjectRemoval
from vsl.adapters.s3.objects import ObjectStore
from vsl.adapters.s3.signer import S3Signer
from vsl.domain.errors import (
    DownloadFailed,
    DownloadRefused,
    JobDeleted,
    OutputExpired,
    OutputInvalid,
    VslError,
)
from vsl.domain.jobs.job import Job, JobEvent, JobStatus, MediaAsset
from vsl.domain.predictions.prediction import Outcome, PredictionStatus
from vsl.services.completion.store_media import StoreMedia

pytestmark = pytest.mark.integration

BUCKET = "media"
MIB = 1024**2
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("engine")
    engine = Engine(folder / "engine", free_port(), folder / "engine.log")
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


@pytest.fixture(scope="module")
def s3_client(engine: Engine) -> Any:
    config = Config(
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path", "payload_signing_enabled": False},
    )
    client = boto3.client("s3", endpoint_url=engine.url, config=config)
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def s3(s3_client: Any) -> Any:
    """The client, with an empty bucket."""
    for entry in s3_client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3_client.delete_object(Bucket=BUCKET, Key=entry["Key"])
    return s3_client


@pytest.fixture(scope="module")
def files() -> Iterator[FileServer]:
    with file_server() as server:
        yield server


@pytest.fixture
def media(s3: Any, files: FileServer) -> StoredMedia:
    downloads = Downloads([files.origin], max_bytes=40 * MIB, read_seconds=2, total_seconds=3)
    return StoredMedia(ObjectStore(BUCKET, s3), downloads)


@pytest.fixture
def job(request: pytest.FixtureRequest) -> Job:
    return make_job(request.node.name)


class Timeline:
    """As much of the tracking item as storing needs: no cancel, and events are kept."""

    def __init__(self, *, there: bool = True) -> None:
        self.marks: list[str] = []
        self.there = there

    def get(self, _job_id: str) -> None:
        return None

    def record_event(self, _job_id: str, event: JobEvent, _status: JobStatus | None = None) -> bool:
        self.marks.append(event.name)
        return self.there


def stored_by(
    job: Job, outcome: Outcome, timeline: Any, media: StoredMedia, s3: Any
) -> tuple[MediaAsset, ...]:
    store_media = StoreMedia(timeline, media, ObjectRemoval(BUCKET, s3), SystemClock())
    return store_media(job, outcome)


def body(s3: Any, key: str) -> bytes:
    content: bytes = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return content


def nothing_left(s3: Any) -> bool:
    """Of the output, that is: how often its download broke off is noted for a day."""
    listed = [
        entry["Key"]
        for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        if not entry["Key"].endswith("-failures.json")
    ]
    uploads = s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    return not listed and not uploads


def test_all_outputs_of_a_prediction_come_home(
    s3: Any, files: FileServer, media: StoredMedia, job: Job
) -> None:
    contents = [
        media_files.image_file("WEBP", 1024, 1024),
        media_files.video_file("mp4", "libx264", frames=36),
        media_files.audio_file("mp3", "libmp3lame", 2),
        media_files.image_file("PNG", 640, 480),
        b"PK\x03\x04" + bytes(300),
    ]
    names = ["out-0.webp", "video.mp4", "music.mp3", "out%201.png", "prompt.npz"]
    urls = [
        files.serve(f"/xezq/key/{name}", content, "application/octet-stream")
        for name, content in zip(names, contents, strict=True)
    ]
    outcome = Outcome("prediction", PredictionStatus.SUCCEEDED, "webhook", tuple(urls))
    timeline: Any = Timeline()
    assets = stored_by(job, outcome, timeline, media, s3)
    assert [body(s3, asset.s3_key) for asset in assets] == contents
    assert [asset.sha256 for asset in assets] == [
        hashlib.sha256(content).hexdigest() for content in contents
    ]
    assert [asset.s3_key.rpartition("/")[2] for asset in assets] == [
        "0-out-0.webp",
        "1-video.mp4",
        "2-music.mp3",
        "3-out_1.png",
        "4-prompt.npz",
    ]
    stored = [s3.head_object(Bucket=BUCKET, Key=asset.s3_key)["ContentType"] for asset in assets]
    opaque = "application/octet-stream"
    assert stored == ["image/webp", "video/mp4", "audio/mpeg", "image/png", opaque]
    assert assets[4].content_type == "application/zip"
    thumbnails = [body(s3, asset.thumbnail_key) for asset in assets[:4] if asset.thumbnail_key]
    assert len(thumbnails) == 4
    assert all(thumbnail[8:12] == b"WEBP" for thumbnail in thumbnails)
    assert (assets[1].duration, assets[1].fps, assets[1].codec) == (3.0, 12.0, "h264")
    assert timeline.marks == ["storing", "stored"]
    asked = [headers for path, headers in files.requests if path.startswith("/xezq/")]
    assert len(asked) == 5
    assert not any("authorization" in headers for headers in asked)

    assert stored_by(job, outcome, timeline, media, s3) == assets
    assert sum(path.startswith("/xezq/") for path, _ in files.requests) == 5


def test_of_a_job_deleted_meanwhile_no_object_is_left(
    s3: Any, files: FileServer, media: StoredMedia, job: Job
) -> None:
    url = files.serve("/xezq/key/out.webp", media_files.image_file("WEBP", 640, 480), "image/webp")
    outcome = Outcome("prediction", PredictionStatus.SUCCEEDED, "webhook", (url,))
    s3.put_object(Bucket=BUCKET, Key=f"media/{job.user_id}/other", Body=b"another job's")
    with pytest.raises(JobDeleted):
        stored_by(job, outcome, Timeline(there=False), media, s3)
    listed = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert [each["Key"] for each in listed] == [f"media/{job.user_id}/other"]


def test_a_file_in_parts_arrives_whole(
    s3: Any, files: FileServer, media: StoredMedia, job: Job
) -> None:
    head, zeros = media_files.padded(media_files.video_file(), 20 * MIB + 1)
    asset = media.store(job, 0, files.stream("/large.mp4", head, zeros))
    content = body(s3, asset.s3_key)
    assert content == head + bytes(zeros)
    assert asset.sha256 == hashlib.sha256(content).hexdigest()
    assert (asset.file_size, asset.width, asset.duration) == (20 * MIB + 1, 320, 2.0)
    assert asset.thumbnail_key is not None
    assert s3.head_object(Bucket=BUCKET, Key=asset.s3_key)["ContentType"] == "video/mp4"


def lie(status: int, content: bytes, **headers: str) -> Any:
    def route(request: BaseHTTPRequestHandler) -> None:
        answer(request, status, **headers)
        request.wfile.write(content)

    return route


def drip(request: BaseHTTPRequestHandler) -> None:
    answer(request, 200, Content_Length="1000000")
    for _ in range(100):
        request.wfile.write(b"\x89PNG")
        if stop_dripping.wait(0.1):
            break


def hang(request: BaseHTTPRequestHandler) -> None:
    stop_dripping.wait(10)


stop_dripping = threading.Event()
PNG = media_files.image_file("PNG")
LIES: dict[str, tuple[Any, type[VslError]]] = {
    "empty": (lie(200, b"", Content_Length="0"), OutputInvalid),
    "shorter than declared": (lie(200, PNG, Content_Length=str(len(PNG) + 1)), DownloadFailed),
    "cut after several parts": (
        lie(200, PNG + bytes(18 * MIB), Content_Length=str(30 * MIB)),
        DownloadFailed,
    ),
    "declared too large": (lie(200, PNG, Content_Length=str(41 * MIB)), OutputInvalid),
    "too large without a word": (lie(200, PNG + bytes(41 * MIB)), OutputInvalid),
    "expired": (lie(404, b"<Error/>", Content_Length="8"), OutputExpired),
    "server error": (lie(503, b"", Content_Length="0"), DownloadFailed),
    "drips": (drip, DownloadFailed),
    "says nothing": (hang, DownloadFailed),
    "redirect to metadata": (
        lie(302, b"", Location="http://169.254.169.254/latest/", Content_Length="0"),
        DownloadRefused,
    ),
    "redirect to localhost": (
        lie(302, b"", Location="http://localhost:1/", Content_Length="0"),
        DownloadRefused,
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_lies_and_breaks_are_named_and_leave_nothing(
    s3: Any, files: FileServer, media: StoredMedia, job: Job, name: str
) -> None:
    route, error = LIES[name]
    stop_dripping.clear()
    url = files.route(f"/lie/{list(LIES).index(name)}.png", route)
    try:
        with pytest.raises(error):
            media.store(job, 0, url)
    finally:
        stop_dripping.set()
    assert nothing_left(s3)


PAGES = {
    "page called png": (media_files.ERROR_PAGE, "image/png", "application/octet-stream"),
    "xml called mp4": (media_files.XML_ERROR, "video/mp4", "application/octet-stream"),
    "drawing": (
        b"<svg><script>alert(1)</script></svg>",
        "image/svg+xml",
        "application/octet-stream",
    ),
    "playlist": (media_files.PLAYLIST, "video/mp4", "text/plain"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_kept_and_never_served_as_one(
    s3: Any,
    files: FileServer,
    media: StoredMedia,
    job: Job,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """By the address that a client gets, and as the object itself would have it in a public bucket."""
    content, declared, kind = PAGES[name]
    route = lie(200, content, Content_Type=declared)
    asset = media.store(job, 0, files.route(f"/page/{list(PAGES).index(name)}.png", route))
    assert asset.content_type == kind
    monkeypatch.setattr("vsl.adapters.aws.clients.client", lambda _service: s3)
    answer = web.get(S3Signer(BUCKET, 900).url(asset.s3_key, asset.content_type))
    assert answer.content == content
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"
    stored = s3.head_object(Bucket=BUCKET, Key=asset.s3_key)
    assert stored["ContentType"] == "application/octet-stream"
    assert stored["ContentDisposition"] == "attachment"


@pytest.mark.parametrize("size", [0, 9 * MIB])
def test_sound_in_a_container_for_films_is_served_as_sound(
    s3: Any, files: FileServer, media: StoredMedia, job: Job, size: int
) -> None:
    sound = media_files.audio_file("mp4", "aac", 1)
    content = sound
    if size:
        head, zeros = media_files.padded(sound, size)
        content = head + bytes(zeros)
    asset = media.store(job, 0, files.serve(f"/song-{size}.mp4", content))
    assert (asset.content_type, asset.codec) == ("audio/mp4", "aac")
    assert body(s3, asset.s3_key) == content
    assert s3.head_object(Bucket=BUCKET, Key=asset.s3_key)["ContentType"] == "audio/mp4"


def test_names_in_other_scripts_get_thumbnails_of_their_own(
    s3: Any, files: FileServer, media: StoredMedia, job: Job
) -> None:
    cat = files.serve("/%E7%8C%AB.png", media_files.image_file("PNG", 64, 48))
    dog = files.serve("/%E7%8A%AC.png", media_files.image_file("PNG", 48, 64))
    outcome = Outcome("prediction", PredictionStatus.SUCCEEDED, "webhook", (cat, dog))
    timeline: Any = Timeline()
    assets = stored_by(job, outcome, timeline, media, s3)
    assert [asset.s3_key.rpartition("/")[2] for asset in assets] == ["0-output.png", "1-output.png"]
    shapes = [Image.open(io.BytesIO(body(s3, asset.thumbnail_key or ""))).size for asset in assets]
    assert shapes == [(64, 48), (48, 64)]


def test_an_address_in_an_output_that_is_no_file_does_not_lose_the_files(
    s3: Any, files: FileServer, media: StoredMedia, job: Job
) -> None:
    urls = (
        "https://creativecommons.org/licenses/by/4.0/",
        files.serve("/kept.png", PNG),
        files.route("/expired.png", lie(404, b"", Content_Length="0")),
        "data:text/plain,",
    )
    outcome = Outcome("prediction", PredictionStatus.SUCCEEDED, "webhook", urls)
    timeline: Any = Timeline()
    (asset,) = stored_by(job, outcome, timeline, media, s3)
    assert (asset.index, body(s3, asset.s3_key)) == (1, PNG)


def test_a_redirect_into_the_neighbourhood_is_not_followed(
    files: FileServer, media: StoredMedia, job: Job
) -> None:
    """Another port of the very same host is another origin."""
    with file_server() as inner:
        secret = inner.serve("/secret.png", PNG)
        url = files.route("/to-secret.png", lie(302, b"", Location=secret, Content_Length="0"))
        with pytest.raises(DownloadRefused):
            media.store(job, 0, url)
        assert inner.requests == []
    moved = files.serve("/moved.png", PNG)
    url = files.route("/to-moved.png", lie(307, b"", Location=moved, Content_Length="0"))
    assert media.store(job, 0, url).s3_key.endswith("0-moved.png")


def test_a_name_that_resolves_to_this_machine_is_refused(
    files: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The listed name rebinds to loopback, where a server is waiting."""
    port = int(files.origin.rpartition(":")[2])
    files.serve("/rebound.png", PNG)
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    downloads = Downloads([f"http://files.test:{port}"], max_bytes=MIB)
    with pytest.raises(DownloadRefused), downloads.open(f"http://files.test:{port}/rebound.png"):
        pytest.fail("the download was opened")
    assert files.hits("/rebound.png") == 0


def measure(url: str, engine: Engine) -> dict[str, Any]:
    """Store the output in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.measure_store", url, engine.url, BUCKET],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "layers/core")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_with_the_file(s3: Any, files: FileServer, engine: Engine) -> None:
    """256 MiB; the same at 2 GiB is in docs/decisions, measured by hand."""
    size = 256 * MIB
    url = files.stream("/huge.mp4", *media_files.padded(media_files.video_file(), size))
    measured = measure(url, engine)
    assert measured["asset"]["fileSize"] == size
    assert measured["asset"]["duration"] == 2.0
    assert s3.head_object(Bucket=BUCKET, Key=measured["asset"]["s3Key"])["ContentLength"] == size
    assert measured["peak"] - measured["baseline"] < 32 * MIB


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("name", "limit", "side"),
    [
        pytest.param("picture.png", 16 * MIB, 20_000, id="PNG of 400 million pixels"),
        pytest.param("text.png", 16 * MIB, 320, id="PNG with 200 million bytes of packed text"),
        # FFmpeg reads the frame's head and takes a table of its blocks before it knows better.
        pytest.param("frame.mp4", 112 * MIB, 16_000, id="H.264 frame of 256 million pixels"),
    ],
)
def test_a_bomb_is_delivered_without_going_off(
    s3: Any, files: FileServer, engine: Engine, name: str, limit: int, side: int
) -> None:
    text = media_files.png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000), 9))
    make = {
        "picture.png": lambda: media_files.png_claiming(20_000, 20_000),
        "text.png": lambda: media_files.with_chunks(PNG, text),
        "frame.mp4": media_files.frame_bomb,
    }
    content = make[name]()
    measured = measure(files.serve(f"/bomb/{name}", content), engine)
    assert measured["asset"]["fileSize"] == len(content)
    assert measured["asset"]["width"] == side
    assert (measured["asset"]["thumbnailKey"] is None) == (side > 320)
    assert measured["peak"] - measured["baseline"] < limit
    assert body(s3, measured["asset"]["s3Key"]) == content
