"""Content types from first bytes, of real files and of pages that pretend."""

import io
import json
import zipfile

import pytest

from tests.support import media_files
from vsl.adapters.media.sniff import HEAD_SIZE, Sniffed, sniff
from vsl.domain.jobs.content_types import MEDIA_TYPES, served_as
from vsl.domain.jobs.job import MediaType


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
        ("mpegts", "libx264", "video/mp2t"),
        ("mpeg", "mpeg2video", "video/mpeg"),
        ("flv", "flv", "video/x-flv"),
        ("asf", "wmv2", "video/x-ms-wmv"),
        ("3gp", "libx264", "video/3gpp"),
        ("3g2", "libx264", "video/3gpp2"),
    ],
)
def test_videos(container: str, codec: str, content_type: str) -> None:
    video = media_files.video_file(container, codec, width=64, height=48, fps=24, frames=2)
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
        ("mp2", "mp2", "audio/mpeg"),
        ("asf", "wmav2", "audio/x-ms-wma"),
    ],
)
def test_sound(container: str, codec: str, content_type: str) -> None:
    sound = media_files.audio_file(container, codec, 0.2)
    assert sniff(sound[:HEAD_SIZE]) == Sniffed(content_type, MediaType.AUDIO)


def test_long_waves_are_waves() -> None:
    """RF64 is what programs write when a file may pass 4 GiB; BW64 is the same by another name."""
    sound = media_files.audio_file("wav", "pcm_s16le", 0.2, options={"rf64": "always"})
    assert sound[:4] == b"RF64"
    assert sniff(sound[:HEAD_SIZE]) == Sniffed("audio/wav", MediaType.AUDIO)
    assert sniff(b"BW64" + sound[4:HEAD_SIZE]) == Sniffed("audio/wav", MediaType.AUDIO)


@pytest.mark.parametrize(
    ("container", "codec", "name", "content_type"),
    [("flac", "flac", "a.flac", "audio/flac"), ("adts", "aac", "a.aac", "audio/aac"),
     ("mp3", "libmp3lame", "a.mp3", "audio/mpeg")],
)  # fmt: skip
def test_a_tag_before_the_sound_is_looked_past(
    container: str, codec: str, name: str, content_type: str
) -> None:
    sound = media_files.audio_file(container, codec, 0.2)
    assert sniff((media_files.id3(700) + sound)[:HEAD_SIZE]).content_type == content_type
    assert sniff((media_files.id3(700) * 2 + sound)[:HEAD_SIZE]).content_type == content_type
    # Too long to look past: the name is all there is until the streams are read.
    tagged = (media_files.id3(500_000) + sound)[:HEAD_SIZE]
    assert sniff(tagged, name).content_type == content_type
    assert sniff(tagged).content_type == "audio/mpeg"


@pytest.mark.parametrize(
    "options", [{}, {"big_tiff": True}, {"big_tiff": True, "big_endian": True}]
)
def test_large_tiffs_are_tiffs(options: dict[str, bool]) -> None:
    head = media_files.tiff(media_files.picture(8, 8), **options)[:HEAD_SIZE]
    assert sniff(head) == Sniffed("image/tiff", MediaType.IMAGE)


def test_jpeg_2000_as_a_file_and_as_a_bare_codestream() -> None:
    assert sniff(media_files.image_file("JPEG2000", 64, 48)) == Sniffed(
        "image/jp2", MediaType.IMAGE
    )
    bare = media_files.image_file("JPEG2000", 64, 48, no_jp2=True)
    assert sniff(bare) == Sniffed("image/j2c", MediaType.IMAGE)


def test_theora_in_ogg_is_a_video() -> None:
    assert sniff(media_files.theora_file(64, 48)[:HEAD_SIZE]) == Sniffed(
        "video/ogg", MediaType.VIDEO
    )


def test_a_transport_stream_with_time_codes_between_its_packets() -> None:
    video = media_files.video_file("mpegts", "libx264", frames=2)
    cut = [video[at : at + 188] for at in range(0, len(video), 188)]
    assert sniff(b"".join(bytes(4) + packet for packet in cut)).content_type == "video/mp2t"


@pytest.mark.parametrize(
    ("brands", "content_type"),
    [
        (b"heic", "image/heic"),
        (b"heix", "image/heic"),
        (b"heim", "image/heic"),
        (b"heis", "image/heic"),
        (b"hevc", "image/heic"),
        (b"hevx", "image/heic"),
        (b"hevm", "image/heic"),
        (b"mif1heic", "image/heic"),
        (b"msf1hevc", "image/heic"),
        (b"mif1", "image/heif"),
        (b"mif2miaf", "image/heif"),
        (b"msf1", "image/heif"),
        (b"miaf", "image/heif"),
        (b"avci", "image/heif"),
        (b"1picmif1", "image/heif"),
        (b"mif1avif", "image/avif"),
        (b"msf1avis", "image/avif"),
        (b"avis", "image/avif"),
        (b"M4V isom", "video/mp4"),
        (b"mjp2", "video/mj2"),
        (b"3gp5", "video/3gpp"),
        (b"3g2a", "video/3gpp2"),
        (b"unkn", "video/mp4"),
    ],
)
def test_brands_of_iso_media(brands: bytes, content_type: str) -> None:
    box = brands[:4] + bytes(4) + brands[4:]
    head = (8 + len(box)).to_bytes(4) + b"ftyp" + box + b"\0\0\1\0meta"
    assert sniff(head).content_type == content_type


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


OPAQUE = Sniffed("application/octet-stream", None)


@pytest.mark.parametrize(
    "page",
    [
        media_files.ERROR_PAGE,
        media_files.XML_ERROR,
        b"\xef\xbb\xbf \r\n<HTML>",
        "<html>кафе".encode("utf-16"),
        "<p>Der Schlüssel fehlt</p>".encode("latin-1"),
        b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
        b"%PDF-1.7\n1 0 obj",
        b"%!PS-Adobe-3.0 EPSF-3.0",
    ],
)
@pytest.mark.parametrize("name", ["out-0.png", "captions.srt", "drawing.svg", "page.html", ""])
def test_what_a_browser_might_run_is_opaque_under_any_name(page: bytes, name: str) -> None:
    assert sniff(page, name) == OPAQUE
    assert OPAQUE.file_name(name or "out") == (name or "out")


@pytest.mark.parametrize(
    "text",
    [
        b"Not found",
        b"BMW is not a bitmap",
        b'{"detail":"The requested resource could not be found.","status":404}',
        media_files.PLAYLIST,
        "Fehler: ungültig €".encode()[:-1],
        "plain".encode("utf-16"),
    ],
)
def test_text_is_text_under_the_name_of_a_picture(text: bytes) -> None:
    assert sniff(text, "out-0.png") == Sniffed("text/plain", None)


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
        ("video/mp4", "song.m4a", "song.m4a"),
        ("video/mp4", "song.mp3", "song.mp4"),
        ("video/x-matroska", "song.mka", "song.mka"),
        ("audio/ogg", "song.ogv", "song.ogg"),
        ("image/jp2", "a.png", "a.jp2"),
        ("audio/mpeg", "a.mp2", "a.mp2"),
        ("video/mp2t", "a.mts", "a.mts"),
        ("text/plain", "out-0.png", "out-0.png"),
        ("application/octet-stream", "out-0.png", "out-0.png"),
    ],
)
def test_the_suffix_tells_the_truth(content_type: str, name: str, expected: str) -> None:
    media = MediaType(content_type.partition("/")[0]) if content_type in MEDIA_TYPES else None
    assert Sniffed(content_type, media).file_name(name) == expected


@pytest.mark.parametrize("content_type", sorted(MEDIA_TYPES))
def test_media_is_served_as_what_it_is(content_type: str) -> None:
    assert served_as(content_type) == (content_type, None)
    assert content_type.partition("/")[0] in set(MediaType)
    assert "+xml" not in content_type


@pytest.mark.parametrize(
    "content_type",
    [None, "text/html", "text/plain", "image/svg+xml", "application/json", "application/pdf", "x"],
)
def test_anything_else_is_served_as_an_opaque_attachment(content_type: str | None) -> None:
    assert served_as(content_type) == ("application/octet-stream", "attachment")
