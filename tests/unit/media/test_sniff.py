"""Content types from first bytes, of real files and of pages that pretend."""

import io
import json
import zipfile

import pytest

from tests.support import media_files
from vsl.adapters.sniff import HEAD_SIZE, MEDIA_TYPES, Sniffed, sniff
from vsl.domain.errors import OutputInvalid
from vsl.domain.job import MediaType


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("WEBP", "image/webp"),
        ("GIF", "image/gif"),
        ("AVIF", "image/avif"),
        ("BMP", "image/bmp"),
        ("TIFF", "image/tiff"),
    ],
)
def test_images(kind: str, content_type: str) -> None:
    sniffed = sniff(media_files.image_file(kind, 64, 48)[:HEAD_SIZE])
    assert sniffed == Sniffed(content_type, MediaType.IMAGE)


@pytest.mark.parametrize(
    ("container", "codec", "content_type"),
    [
        ("mp4", "libx264", "video/mp4"),
        ("mov", "libx264", "video/quicktime"),
        ("webm", "libvpx", "video/webm"),
        ("matroska", "libx264", "video/x-matroska"),
        ("avi", "mpeg4", "video/x-msvideo"),
    ],
)
def test_videos(container: str, codec: str, content_type: str) -> None:
    video = media_files.video_file(container, codec, width=64, height=48, frames=2)
    assert sniff(video[:HEAD_SIZE]) == Sniffed(content_type, MediaType.VIDEO)


@pytest.mark.parametrize(
    ("container", "codec", "content_type"),
    [
        ("wav", "pcm_s16le", "audio/wav"),
        ("mp3", "libmp3lame", "audio/mpeg"),
        ("flac", "flac", "audio/flac"),
        ("ogg", "libopus", "audio/ogg"),
        ("ipod", "aac", "audio/mp4"),
        ("adts", "aac", "audio/aac"),
        ("aiff", "pcm_s16be", "audio/aiff"),
    ],
)
def test_sound(container: str, codec: str, content_type: str) -> None:
    sound = media_files.audio_file(container, codec, 0.2)
    assert sniff(sound[:HEAD_SIZE]) == Sniffed(content_type, MediaType.AUDIO)


def test_an_mp3_without_tags_is_known_by_its_frame_header() -> None:
    sound = media_files.audio_file("mp3", "libmp3lame", 0.2)
    size = 10 + int.from_bytes(
        bytes(b for b in sound[6:10] if b), "big"
    )  # a small tag: the size fits its last byte
    assert sound[:3] == b"ID3"
    assert sniff(sound[size:]) == Sniffed("audio/mpeg", MediaType.AUDIO)


def test_the_older_avif_brand_is_told_by_the_compatible_ones() -> None:
    head = b"\0\0\0\x1cftypmif1\0\0\0\0avifmif1miaf"
    assert sniff(head).content_type == "image/avif"


@pytest.mark.parametrize(
    "page",
    [
        media_files.ERROR_PAGE,
        media_files.XML_ERROR,
        b"\xef\xbb\xbf \r\n<HTML>",
        "<html>кафе".encode("utf-16"),
        "<p>Der Schlüssel fehlt</p>".encode("latin-1"),
        b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
        b"Not found",
        b"BMW is not a bitmap",
        b'{"detail":"The requested resource could not be found.","status":404}',
        media_files.PLAYLIST,
        "Fehler: ungültig €".encode()[:-1],
    ],
)
def test_pages_and_text_are_no_media(page: bytes) -> None:
    with pytest.raises(OutputInvalid):
        sniff(page, "out-0.png")


def test_markup_is_refused_under_any_name() -> None:
    with pytest.raises(OutputInvalid, match="HTML or XML"):
        sniff(media_files.ERROR_PAGE, "captions.srt")


def test_extra_data_of_a_model_is_kept_and_not_looked_into() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("fine_prompt.npy", b"\x93NUMPY")
    assert sniff(buffer.getvalue(), "prompt.npz") == Sniffed("application/zip", None)
    assert sniff(json.dumps({"a": 1}).encode(), "meta.json") == Sniffed("application/json", None)
    assert sniff(b"1\n00:00:00,000 --> 00:00:01,000\nHi\n", "a.srt") == Sniffed("text/plain", None)
    assert sniff(b"glTF\x02\0\0\0").content_type == "model/gltf-binary"
    assert sniff(bytes(range(256))) == Sniffed("application/octet-stream", None)


@pytest.mark.parametrize(
    ("content_type", "name", "expected"),
    [
        ("image/png", "out-0.png", "out-0.png"),
        ("image/webp", "out-0.png", "out-0.webp"),
        ("image/jpeg", "photo.JPEG", "photo.JPEG"),
        ("audio/ogg", "speech.opus", "speech.opus"),
        ("image/png", "", "output.png"),
        ("video/mp4", "v1.5-final", "v1.5-final.mp4"),
        ("application/zip", "prompt.npz", "prompt.npz"),
    ],
)
def test_the_suffix_tells_the_truth(content_type: str, name: str, expected: str) -> None:
    media = MediaType(content_type.partition("/")[0]) if content_type in MEDIA_TYPES else None
    assert Sniffed(content_type, media).file_name(name) == expected
