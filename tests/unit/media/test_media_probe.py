"""What is found in real files, and what hostile ones cannot do."""

import io
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support import media_files
from tests.unit.media.looking import brightness, colour, look_into, thumbnail
from vsl.adapters.media import av_probe, probe
from vsl.adapters.media.sniff import Sniffed, sniff
from vsl.domain.jobs.job import MediaType


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF", "BMP", "TIFF"])
def test_images(kind: str) -> None:
    found = look_into(media_files.image_file(kind, 1000, 500))
    assert (found.width, found.height, found.codec) == (1000, 500, kind.lower())
    assert (found.duration, found.fps, found.faults) == (None, None, ())
    small = thumbnail(found)
    assert small.size == (640, 320)
    left, right = colour(small, 100, 160), colour(small, 540, 160)
    assert left[0] > 150 > left[2]
    assert right[2] > 150 > right[0]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_mode_of_an_image_gets_a_thumbnail(mode: str) -> None:
    image = media_files.picture(90, 60, "L" if mode == "I;16" else "RGB")
    if mode == "I;16":
        image = image.convert("I").point(lambda level: level * 256)
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, "TIFF" if mode == "CMYK" else "PNG")
    found = look_into(buffer.getvalue())
    assert thumbnail(found).size == (90, 60)
    if mode == "I;16":
        expected = brightness(media_files.picture(90, 60), 10, 30)
        assert abs(brightness(thumbnail(found), 10, 30) - expected) < 12


def test_transparency_survives() -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (40, 40), (255, 0, 0, 0)).save(buffer, "PNG")
    assert thumbnail(look_into(buffer.getvalue())).mode == "RGBA"


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_on_its_side_is_turned_upright(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    found = look_into(media_files.image_file(kind, 300, 100, exif=exif))
    assert (found.width, found.height) == (100, 300)
    small = thumbnail(found)
    assert small.size == (100, 300)
    assert colour(small, 50, 20)[0] > 150  # what was left is now at the top


@pytest.mark.parametrize(
    ("container", "codec", "name"),
    [
        ("mp4", "libx264", "h264"),
        ("mov", "libx264", "h264"),
        ("webm", "libvpx-vp9", "vp9"),
        ("webm", "libvpx", "vp8"),
        ("matroska", "libx264", "h264"),
        ("avi", "mpeg4", "mpeg4"),
    ],
)
def test_videos(container: str, codec: str, name: str) -> None:
    video = media_files.video_file(container, codec, width=720, height=480, fps=12, frames=18)
    found = look_into(video)
    assert (found.width, found.height, found.codec) == (720, 480, name)
    assert (found.fps, found.duration, found.faults) == (12.0, 1.5, ())
    small = thumbnail(found)
    assert small.size == (640, 427)
    background, bar = colour(small, 400, 200), colour(small, 8, 200)
    assert background[0] > 150 > background[1]  # the first frame is red, with a white bar
    assert min(bar) > 200


def test_a_turned_video_is_measured_and_shown_as_players_show_it() -> None:
    upright = look_into(media_files.video_file())
    turned = look_into(media_files.turned(media_files.video_file()))
    assert (upright.width, upright.height) == (320, 192)
    assert (turned.width, turned.height) == (192, 320)
    small = thumbnail(turned)
    assert small.size == (192, 320)
    assert min(colour(small, 96, 4)) > 200  # turned clockwise: the bar at the left is now on top


@pytest.mark.parametrize(
    ("container", "codec", "name"),
    [
        ("wav", "pcm_s16le", "pcm_s16le"),
        ("wav", "pcm_f32le", "pcm_f32le"),
        ("mp3", "libmp3lame", "mp3"),
        ("flac", "flac", "flac"),
        ("ogg", "libopus", "opus"),
        ("ipod", "aac", "aac"),
        ("webm", "libopus", "opus"),
    ],
)
def test_sound(container: str, codec: str, name: str) -> None:
    found = look_into(media_files.audio_file(container, codec, 1.5))
    assert (found.width, found.height, found.fps, found.faults) == (None, None, None, ())
    assert found.codec == name
    assert found.duration == pytest.approx(1.5, abs=0.03)
    picture = thumbnail(found)
    assert picture.size == (640, 120)
    edge_right = max(brightness(picture, x, 16) for x in range(610, 630))
    assert brightness(picture, 21, 60) > 80  # it swells: quiet at the left, loud at the right
    assert brightness(picture, 21, 15) < 40 < edge_right


def test_the_length_of_sound_is_counted_where_the_header_only_claims() -> None:
    sound = bytearray(media_files.audio_file("wav", "pcm_s16le", 0.5))
    at = sound.index(b"data") + 4
    sound[at : at + 4] = b"\xff\xff\xff\xff"  # as written by programs that stream
    assert look_into(bytes(sound)).duration == pytest.approx(0.5, abs=0.01)


def test_long_sound_is_drawn_as_far_as_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av_probe, "MAX_AUDIO_SECONDS", 0.5)
    found = look_into(media_files.audio_file("flac", "flac", 2))
    assert found.duration == 2.0  # the header's word, for not all of it was decoded
    assert found.thumbnail is not None


def test_silence_has_a_waveform() -> None:
    sound = bytearray(media_files.audio_file("wav", "pcm_s16le", 0.5))
    at = sound.index(b"data") + 8
    sound[at:] = bytes(len(sound) - at)
    assert thumbnail(look_into(bytes(sound))).size == (640, 120)


@pytest.mark.parametrize("side", [20_000, 12_000, 6_400])
def test_a_picture_of_too_many_pixels_is_not_decoded(side: int) -> None:
    """400, 144 and 41 million pixels: Pillow refuses, Pillow would warn, only we mind."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        found = look_into(media_files.png_claiming(side, side, rows=10))
    assert found.thumbnail is None
    assert "pixels" in found.faults[0]


def test_pillows_own_limits_are_left_alone() -> None:
    before = Image.MAX_IMAGE_PIXELS
    look_into(media_files.image_file("PNG"))
    assert before == Image.MAX_IMAGE_PIXELS


def test_a_large_sequential_jpeg_is_decoded_at_a_fraction_of_its_size() -> None:
    found = look_into(media_files.image_file("JPEG", 7000, 6000, mode="L"))
    assert (found.width, found.height) == (7000, 6000)
    assert thumbnail(found).size == (640, 549)
    progressive = look_into(media_files.image_file("JPEG", 7000, 6000, mode="L", progressive=True))
    assert progressive.thumbnail is None


def test_a_frame_of_too_many_pixels_is_refused_by_the_decoder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The full size (16000 x 16000) is tried in the integration test of memory."""
    monkeypatch.setattr(av_probe, "MAX_FRAME_PIXELS", 300 * 200)
    monkeypatch.setitem(av_probe.OPTIONS, "max_pixels", str(300 * 200))
    found = look_into(media_files.video_file(width=320, height=240))
    assert found.thumbnail is None
    assert found.faults
    within = look_into(media_files.video_file(width=160, height=120))
    assert within.thumbnail is not None


@pytest.mark.parametrize(
    "content", [media_files.PLAYLIST, b"ffconcat version 1.0\nfile /etc/hosts\n"]
)
def test_a_playlist_opens_nothing_even_when_taken_for_a_video(content: bytes) -> None:
    found = look_into(content, Sniffed("video/mp4", MediaType.VIDEO))
    assert found.faults
    assert (found.width, found.duration, found.thumbnail) == (None, None, None)


def test_a_truncated_picture_keeps_its_size() -> None:
    noisy = Image.effect_noise((500, 400), 80).convert("RGB")
    buffer = io.BytesIO()
    noisy.save(buffer, "PNG")
    found = look_into(buffer.getvalue()[:5000])
    assert (found.width, found.height, found.codec) == (500, 400, "png")
    assert "truncated" in found.faults[0]
    assert thumbnail(found).size == (500, 400), "with the rows that have arrived"


def test_a_truncated_video() -> None:
    whole = media_files.video_file(frames=60)
    lost = look_into(whole[: len(whole) // 2])  # its index was at the end
    assert lost.faults
    assert lost.thumbnail is None
    fragmented = media_files.video_file(frames=60, fragmented=True)
    found = look_into(fragmented[: len(fragmented) // 2])
    assert (found.width, found.height, found.codec) == (320, 192, "h264")
    assert found.thumbnail is not None


@pytest.mark.parametrize("content_type", ["image/png", "video/mp4", "audio/mpeg", "image/heic"])
def test_noise_is_a_fault_and_never_an_exception(content_type: str) -> None:
    media = MediaType(content_type.partition("/")[0])
    found = look_into(bytes(range(256)) * 64, Sniffed(content_type, media))
    assert found.faults
    assert found.thumbnail is None


def test_time_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "MAX_SECONDS", -1.0)
    found = look_into(media_files.video_file())
    assert found.codec == "h264"
    assert found.thumbnail is None
    assert found.faults == ("TimeoutError: no frame could be decoded within the limits",)


@pytest.mark.parametrize(
    ("width", "height"), [(4_294_967_295, 100), (100, 2**31), (0, 100), (20_000_000, 1)]
)
def test_a_size_that_no_picture_has_is_not_believed(width: int, height: int) -> None:
    content = bytearray(media_files.image_file("PNG"))
    content[16:24] = width.to_bytes(4) + height.to_bytes(4)
    found = look_into(bytes(content))
    assert (found.width, found.height, found.thumbnail) == (None, None, None)


WHOLE = {
    name: media_files.image_file(name, 48, 32)
    for name in ("PNG", "JPEG", "WEBP", "GIF", "AVIF", "BMP", "TIFF", "JPEG2000")
} | {
    "MP4": media_files.video_file(width=64, height=48, frames=4),
    "WebM": media_files.video_file("webm", "libvpx", width=64, height=48, frames=4, live=True),
    "TS": media_files.video_file("mpegts", "libx264", width=64, height=48, frames=4),
    "MP3": media_files.audio_file("mp3", "libmp3lame", 0.2),
    "Ogg": media_files.audio_file("ogg", "libopus", 0.2),
    "WAV": media_files.audio_file("wav", "pcm_s16le", 0.1),
}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(st.tuples(st.integers(0, 2000), st.binary(min_size=1, max_size=12)), max_size=6),
    st.integers(0, 3000) | st.none(),
)
def test_whatever_is_found_can_be_stored(
    name: str, changes: list[tuple[int, bytes]], end: int | None
) -> None:
    """No file, however damaged, gives a number that PostgreSQL refuses, or ends the look by itself."""
    content = bytearray(WHOLE[name])
    for at, piece in changes:
        content[at : at + len(piece)] = piece
    found = look_into(bytes(content[:end]), sniff(WHOLE[name]))
    assert found.content_type
    assert (found.width is None) == (found.height is None)
    for side in (found.width, found.height):
        assert side is None or 0 < side <= probe.MAX_SIDE
    assert found.duration is None or 0 < found.duration <= 10_000_000
    assert found.fps is None or 0 < found.fps <= 1000
    assert found.thumbnail is None or max(thumbnail(found).size) <= 640
