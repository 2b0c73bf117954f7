"""Streams rather than names: what is in a container, as a player shows it, damaged or not."""

import random
from collections.abc import Callable
from fractions import Fraction

import pytest
from av.video.reformatter import ColorPrimaries, Colorspace, ColorTrc
from PIL import ImageChops, ImageStat
from PIL.Image import Transpose

from tests.support import media_files
from tests.unit.media.looking import brightness, colour, look_into, thumbnail
from vsl.adapters.media.probe import probe
from vsl.adapters.media.ranged_reader import RangedReader
from vsl.adapters.media.sniff import HEAD_SIZE, Sniffed, sniff

SOUND = media_files.audio_file("mp3", "libmp3lame", 1)


@pytest.mark.parametrize(
    ("container", "codec", "options", "sniffed", "content_type"),
    [
        ("mp4", "aac", None, "video/mp4", "audio/mp4"),
        ("mp4", "libmp3lame", None, "video/mp4", "audio/mp4"),
        ("mov", "aac", None, "video/quicktime", "audio/mp4"),
        ("3gp", "aac", None, "video/3gpp", "audio/3gpp"),
        ("webm", "libopus", None, "video/webm", "audio/webm"),
        ("matroska", "flac", None, "video/x-matroska", "audio/x-matroska"),
        ("ogg", "libopus", None, "audio/ogg", "audio/ogg"),
        ("asf", "wmav2", None, "audio/x-ms-wma", "audio/x-ms-wma"),
        ("mp2", "mp2", None, "audio/mpeg", "audio/mpeg"),
        ("wav", "pcm_s16le", {"rf64": "always"}, "audio/wav", "audio/wav"),
    ],
)
def test_sound_in_a_container_for_films_is_sound(
    container: str, codec: str, options: dict[str, str] | None, sniffed: str, content_type: str
) -> None:
    content = media_files.audio_file(container, codec, 1.5, options=options)
    assert sniff(content[:HEAD_SIZE]).content_type == sniffed
    found = look_into(content)
    assert (found.content_type, found.faults) == (content_type, ())
    assert (found.width, found.height, found.fps) == (None, None, None)
    assert found.duration == pytest.approx(1.5, abs=0.06)
    assert thumbnail(found).size == (640, 120)


def test_a_film_under_the_brand_of_music_is_a_film() -> None:
    video = media_files.video_file()
    at = video.index(b"ftypisom") + 4
    found = look_into(video[:at] + b"M4A " + video[at + 4 :])
    assert (found.content_type, found.width) == ("video/mp4", 320)


@pytest.mark.parametrize(
    ("sound", "content_type", "codec"),
    [
        (media_files.audio_file("ipod", "aac", 1), "audio/mp4", "aac"),
        (media_files.audio_file("mp4", "aac", 1), "audio/mp4", "aac"),
        (SOUND, "audio/mpeg", "mp3"),
    ],
)
def test_a_cover_is_no_video(sound: bytes, content_type: str, codec: str) -> None:
    found = look_into(media_files.with_cover(sound))
    assert (found.content_type, found.codec, found.faults) == (content_type, codec, ())
    assert (found.width, found.height) == (None, None)
    assert found.duration == pytest.approx(1, abs=0.06)
    assert thumbnail(found).size == (640, 120)


@pytest.mark.parametrize(("container", "codec"), [("flac", "flac"), ("adts", "aac")])
@pytest.mark.parametrize("size", [300, 100_000])
def test_a_tag_before_the_sound_does_not_hide_what_it_is(
    container: str, codec: str, size: int
) -> None:
    found = look_into(media_files.id3(size) + media_files.audio_file(container, codec, 1))
    assert found.content_type == f"audio/{codec}"
    assert found.codec == codec
    assert found.duration == pytest.approx(1, abs=0.1)


def test_theora_in_ogg_is_a_film() -> None:
    found = look_into(media_files.theora_file(128, 96), Sniffed.of("audio/ogg"))
    assert (found.content_type, found.codec) == ("video/ogg", "theora")
    assert (found.width, found.height) == (128, 96)


@pytest.mark.parametrize(
    ("container", "codec", "name"),
    [
        ("mpegts", "libx264", "h264"),
        ("mpeg", "mpeg2video", "mpeg2video"),
        ("flv", "flv", "flv1"),
        ("asf", "wmv2", "wmv2"),
        ("3gp", "libx264", "h264"),
    ],
)
def test_older_containers_are_looked_into(container: str, codec: str, name: str) -> None:
    content = media_files.video_file(container, codec, fps=24, frames=36)
    found = look_into(content)
    assert (found.width, found.height, found.codec, found.faults) == (320, 192, name, ())
    assert found.fps == pytest.approx(24, abs=0.1)
    assert found.duration == pytest.approx(1.5, abs=0.06)
    assert thumbnail(found).size == (320, 192)


@pytest.mark.parametrize(
    ("pixel", "size"),
    [
        (Fraction(4, 3), (427, 192)),
        (Fraction(2), (640, 192)),
        (Fraction(1, 2), (320, 384)),
        (Fraction(10_000), (320, 192)),
    ],
)
@pytest.mark.parametrize("container", ["mp4", "matroska"])
def test_pixels_that_are_not_square_are_shown_in_their_shape(
    container: str, pixel: Fraction, size: tuple[int, int]
) -> None:
    """What is too narrow is stretched, as browsers do, and a shape that no film has is not believed."""
    found = look_into(media_files.video_file(container, pixel=pixel))
    assert (found.width, found.height) == size
    assert thumbnail(found).size == size
    bar = colour(thumbnail(found), 2, size[1] // 2)
    assert min(bar) > 200


@pytest.mark.parametrize(
    ("colours", "height", "expected"),
    [
        ((Colorspace.ITU601, 2, 2), 192, (120, 80, 60)),
        ((Colorspace.ITU709, 1, 1), 192, (120, 80, 60)),
        ((Colorspace.ITU709, ColorPrimaries.SMPTE432, 1), 192, (127, 78, 56)),
        ((9, ColorPrimaries.BT2020, 14), 192, (136, 75, 57)),
        ((2, 2, 2), 192, (120, 80, 60)),
        ((2, 2, 2), 720, (120, 80, 60)),
    ],
)
def test_colours_are_those_of_the_screen(
    colours: tuple[int, int, int], height: int, expected: tuple[int, int, int]
) -> None:
    found = look_into(media_files.coloured_film((120, 80, 60), colours, height))
    shown = colour(thumbnail(found), 100, 60)
    assert max(abs(a - b) for a, b in zip(shown, expected, strict=True)) <= 8, shown


def test_a_film_of_high_range_is_neither_black_nor_white() -> None:
    film = media_files.coloured_film(
        (120, 120, 120), (9, ColorPrimaries.BT2020, ColorTrc.SMPTE2084)
    )
    assert 60 < colour(thumbnail(look_into(film)), 100, 60)[0] < 200


def test_a_film_that_is_turned_and_has_oblong_pixels() -> None:
    found = look_into(media_files.turned(media_files.video_file(pixel=Fraction(2))))
    assert (found.width, found.height) == (192, 640)
    assert thumbnail(found).size == (192, 640)


ONE = 1 << 16


@pytest.mark.parametrize(
    ("matrix", "turn"),
    [
        ((0, ONE, -ONE, 0), Transpose.ROTATE_270),
        ((0, -ONE, ONE, 0), Transpose.ROTATE_90),
        ((-ONE, 0, 0, -ONE), Transpose.ROTATE_180),
        ((-ONE, 0, 0, ONE), Transpose.FLIP_LEFT_RIGHT),
        ((ONE, 0, 0, -ONE), Transpose.FLIP_TOP_BOTTOM),
        ((0, ONE, ONE, 0), Transpose.TRANSPOSE),
        ((0, -ONE, -ONE, 0), Transpose.TRANSVERSE),
        ((64_000, 3_000, -3_000, 64_000), None),
    ],
)
def test_every_way_of_turning_and_mirroring(
    matrix: tuple[int, int, int, int], turn: Transpose | None
) -> None:
    video = media_files.video_file(mark=True)
    found = look_into(media_files.turned(video, matrix))
    upright, small = thumbnail(look_into(video)), thumbnail(found)
    shown = upright if turn is None else upright.transpose(turn)
    assert (found.width, found.height) == small.size == shown.size
    assert max(ImageStat.Stat(ImageChops.difference(small, shown)).mean) < 8


@pytest.mark.parametrize("container", ["mp4", "matroska"])
def test_a_codec_without_a_decoder_leaves_what_the_container_says(container: str) -> None:
    video = media_files.video_file(container, pixel=Fraction(2))
    if container == "mp4":
        at = video.rindex(b"avc1")
        unknown = media_files.turned(video[:at] + b"evc1" + video[at + 4 :])
    else:
        unknown = video.replace(b"V_MPEG4/ISO/AVC", b"V_MPEG4/XXX/AVC")
    found = look_into(unknown)
    sideways = container == "mp4"
    assert (found.width, found.height) == ((192, 640) if sideways else (320, 192))
    assert (found.fps, found.duration) == (12.0, 2.0)
    assert found.codec == ("evc" if sideways else None)
    assert found.thumbnail is None
    assert "no decoder" in found.faults[0]


def test_sound_without_a_decoder_keeps_its_length() -> None:
    sound = media_files.audio_file("matroska", "libopus", 1.5).replace(b"A_OPUS", b"A_XPUS")
    found = look_into(sound)
    assert (found.content_type, found.codec) == ("audio/x-matroska", None)
    assert found.duration == pytest.approx(1.5, abs=0.06)
    assert "no decoder" in found.faults[0]


def damaged(content: bytes, at: float, size: int = 64) -> bytes:
    start = int(len(content) * at)
    return content[:start] + bytes(size) + content[start + size :]


@pytest.mark.parametrize(
    ("container", "codec"),
    [("mp3", "libmp3lame"), ("adts", "aac"), ("flac", "flac"), ("ogg", "libopus"), ("mp2", "mp2"),
     ("webm", "libopus"), ("ipod", "aac"), ("matroska", "flac")],
)  # fmt: skip
@pytest.mark.parametrize("at", [0.3, 0.5])
def test_damage_in_the_middle_of_a_sound_does_not_hide_the_rest(
    container: str, codec: str, at: float
) -> None:
    whole = media_files.audio_file(container, codec, 3)
    found = look_into(damaged(whole, at))
    assert found.codec == codec.removeprefix("lib").replace("mp3lame", "mp3")
    assert found.duration == pytest.approx(3, abs=0.3)
    small = thumbnail(found)
    assert brightness(small, 21, 15) < 40, "it begins silent"
    assert max(brightness(small, x, 18) for x in range(600, 630)) > 80, "and ends loud"


def test_sound_is_drawn_as_far_as_it_may_be_read() -> None:
    content = media_files.audio_file("wav", "pcm_f32le", 20)
    assert len(content) > 3 * 1024**2

    def open_file(expired: Callable[[], bool]) -> RangedReader:
        def fetch(start: int, length: int) -> bytes:
            return content[start : start + length]

        return RangedReader(fetch, len(content), budget=2 * 1024**2, expired=expired)

    found = probe(open_file, Sniffed.of("audio/wav"))
    assert found.duration == 20.0, "by its header"
    assert "budget" in found.faults[0]
    assert max(brightness(thumbnail(found), x, 18) for x in range(600, 630)) > 80


def test_sound_that_changes_its_form_on_the_way_is_drawn_to_the_end() -> None:
    quiet = media_files.audio_file("adts", "aac", 1, rate=44_100, loudness=0.05)
    found = look_into(quiet + media_files.audio_file("adts", "aac", 1, rate=48_000))
    assert found.duration == pytest.approx(2, abs=0.15)
    small = thumbnail(found)
    assert max(brightness(small, x, 30) for x in range(20, 300)) < 60
    assert max(brightness(small, x, 18) for x in range(600, 630)) > 80


def test_a_film_whose_first_pictures_are_damaged_shows_a_later_one() -> None:
    video = media_files.video_file("mpegts", "libx264", frames=120, keyframe_every=24)
    head = bytearray(video)
    noise = random.Random(1)
    for at in range(188 * 3, len(head) // 3, 188):
        head[at + 20 : at + 180] = noise.randbytes(160)
    found = look_into(bytes(head))
    assert (found.width, found.height, found.codec) == (320, 192, "h264")
    assert found.thumbnail is not None


def test_what_a_header_does_not_say_is_found_in_the_packets() -> None:
    """A recorder that cannot go back leaves a WebM without a length."""
    found = look_into(media_files.video_file("webm", "libvpx", live=True))
    assert (found.duration, found.faults) == (2.0, ())
    sound = look_into(media_files.audio_file("webm", "libopus", 2.5, live=True))
    assert sound.duration == pytest.approx(2.5, abs=0.03)
    both = media_files.film(
        media_files.video_file("webm", "libvpx"),
        media_files.audio_file("webm", "libopus", 3),
        "webm",
        live=True,
    )
    assert look_into(both).duration == pytest.approx(3, abs=0.03)


@pytest.mark.parametrize("container", ["mp4", "matroska", "mov"])
def test_sound_longer_than_the_picture_counts(container: str) -> None:
    video, sound = media_files.video_file(), media_files.audio_file("ipod", "aac", 3.5)
    found = look_into(media_files.film(video, sound, container))
    assert found.duration == pytest.approx(3.5, abs=0.06)
    longer = media_files.film(media_files.video_file(frames=60), sound, container)
    assert look_into(longer).duration == pytest.approx(5, abs=0.06)


def test_a_film_of_too_many_pixels_keeps_its_size() -> None:
    found = look_into(media_files.frame_bomb())
    assert (found.width, found.height, found.codec) == (16000, 16000, "h264")
    assert found.thumbnail is None
    assert found.faults


def test_a_truncated_film_keeps_what_its_head_says() -> None:
    whole = media_files.index_first(media_files.video_file(frames=60))
    for size in (len(whole) // 2, whole.index(b"mdat") + 4):
        found = look_into(whole[:size])
        assert (found.width, found.height, found.codec) == (320, 192, "h264")
        assert found.duration == 5.0
