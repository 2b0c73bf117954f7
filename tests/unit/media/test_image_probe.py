"""Pictures: upright, in the screen's colours, whatever else a program has written into the file."""

import io
import math
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat

from tests.support import media_files
from tests.support.heif_files import heif
from tests.unit.media.looking import brightness, colour, look_into, thumbnail
from vsl.adapters.media import image_probe
from vsl.adapters.media.sniff import Sniffed

TEXT = b"Workflow\0" + b"\0" + zlib.compress(b'{"nodes": []}' * 170_000)
INTERNATIONAL = b"Workflow\0\1\0\0\0" + zlib.compress(b'{"nodes": []}' * 170_000)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def marked(width: int = 160, height: int = 60) -> Image.Image:
    """Red and blue halves with a green corner: no two ways of turning it look alike."""
    image = media_files.picture(width, height)
    image.paste((20, 160, 60), (0, 0, width // 4, height // 3))
    return image


def difference(one: Image.Image, other: Image.Image) -> float:
    assert one.size == other.size
    pair = ImageChops.difference(one.convert("RGB"), other.convert("RGB"))
    return max(ImageStat.Stat(pair).mean)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["TIFF", "JPEG", "PNG", "WEBP", "AVIF"])
def test_every_orientation_in_every_format_that_has_one(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = look_into(saved(marked(), kind, exif=exif))
    stored = marked()
    stored.getexif()[0x0112] = orientation
    upright = ImageOps.exif_transpose(stored)
    assert (found.width, found.height) == upright.size
    assert difference(thumbnail(found), upright) < 10
    assert found.faults == ()


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("big_tiff", [False, True])
def test_a_tiff_on_its_side(big_tiff: bool, big_endian: bool) -> None:
    content = media_files.tiff(marked(), big_tiff=big_tiff, big_endian=big_endian, orientation=6)
    found = look_into(content)
    assert (found.width, found.height, found.codec) == (60, 160, "tiff")
    if big_tiff and big_endian:
        return  # Pillow does not know these
    assert difference(thumbnail(found), marked().transpose(Image.Transpose.ROTATE_270)) < 4


EXIF_6 = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
# Made when wanted: two of them take seconds, and every worker collects every test.
ANCILLARY: dict[str, Callable[[], bytes]] = {
    "two megabytes of zTXt": lambda: media_files.png_chunk(b"zTXt", TEXT),
    "two megabytes of iTXt": lambda: media_files.png_chunk(b"iTXt", INTERNATIONAL),
    "a hundred megabytes of text": lambda: (
        media_files.png_chunk(b"tEXt", b"a\0" + b"b" * 1_500_000) * 70
    ),
    "a text of nothing but zeros": lambda: media_files.png_chunk(
        b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000), 9)
    ),
    "text that is not packed": lambda: media_files.png_chunk(b"zTXt", b"a\0\0no zlib"),
    "text with a wrong checksum": lambda: media_files.png_chunk(b"tEXt", b"a\0b", sound=False),
    "a profile that is none": lambda: media_files.png_chunk(
        b"iCCP", b"x\0\0" + zlib.compress(b"x")
    ),
    "a profile that is not packed": lambda: media_files.png_chunk(b"iCCP", b"x\0\0no zlib"),
    "EXIF that is none": lambda: media_files.png_chunk(b"eXIf", b"XX*\0\xff\xff\xff\xff"),
    "EXIF with a wrong checksum": lambda: media_files.png_chunk(b"eXIf", EXIF_6, sound=False),
    "a chunk that is too short": lambda: media_files.png_chunk(b"gAMA", b"\0"),
    "many small chunks": lambda: media_files.png_chunk(b"teSt", b"") * 20_000,
}


@pytest.mark.parametrize("name", ANCILLARY)
@pytest.mark.parametrize("place", ["before", "after"])
def test_what_stands_around_a_png_does_not_hide_it(name: str, place: str) -> None:
    plain = saved(marked(), "PNG")
    found = look_into(media_files.with_chunks(plain, **{place: ANCILLARY[name]()}))
    assert (found.width, found.height, found.codec) == (160, 60, "png")
    assert difference(thumbnail(found), thumbnail(look_into(plain))) == 0


@pytest.mark.parametrize("place", ["before", "after"])
def test_exif_counts_wherever_it_stands_in_a_png(place: str) -> None:
    exif = media_files.png_chunk(b"eXIf", EXIF_6)
    found = look_into(media_files.with_chunks(saved(marked(), "PNG"), **{place: exif}))
    assert (found.width, found.height) == thumbnail(found).size == (60, 160)


def test_a_profile_of_a_megabyte_is_used() -> None:
    profile = media_files.profile(pad=1024**2)
    body = b"P\0\0" + zlib.compress(profile)
    plain = saved(Image.new("RGB", (64, 48), (200, 100, 60)), "PNG")
    found = look_into(media_files.with_chunks(plain, media_files.png_chunk(b"iCCP", body)))
    assert apart(colour(thumbnail(found), 30, 20), (216, 93, 43)) <= 3


BROKEN_EXIF = [
    b"Exif\0\0XX*\0\xff\xff\xff\xff",
    b"Exif\0\0II*\0\xff\xff\xff\x7f",
    b"Exif\0\0",
    b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x03\0" * 6,
    b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x01\0\0\0zz\0\0\0\0\0\0",
    b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x63\0\0\0\0\0\0\0",
]


@pytest.mark.parametrize("exif", BROKEN_EXIF)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_broken_exif_hides_nothing(kind: str, exif: bytes) -> None:
    found = look_into(saved(marked(), kind, exif=exif))
    assert (found.width, found.height) == thumbnail(found).size == (160, 60)


def test_broken_exif_hides_no_avif() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a picture"
    whole = saved(marked(), "AVIF", exif=exif)
    at = whole.rindex(b"MM\0*")
    found = look_into(whole[:at] + b"XX*\0\xff\xff\xff\xff" + whole[at + 8 :])
    assert (found.width, found.height) == thumbnail(found).size == (60, 160)


def test_a_broken_directory_of_several_pictures_hides_no_jpeg() -> None:
    plain = saved(marked(), "JPEG")
    segment = b"\xff\xe2" + struct.pack(">H", 2 + 14) + b"MPF\0II*\0\xff\xff\xff\xff\0\0"
    found = look_into(plain[:2] + segment + plain[2:])
    assert (found.width, found.codec) == (160, "jpeg")
    assert thumbnail(found).size == (160, 60)


def claiming(kind: str, width: int, height: int) -> bytes:
    """A small file of 16 x 16 pixels whose header says otherwise."""
    content = bytearray(saved(media_files.picture(16, 16), kind))
    if kind == "PNG":
        return media_files.png_claiming(width, height, rows=2)
    if kind == "JPEG":
        at = content.index(b"\xff\xc0") + 5
        content[at : at + 4] = struct.pack(">HH", height, width)
    elif kind == "GIF":
        content[6:10] = struct.pack("<HH", width, height)
    elif kind == "BMP":
        content[18:26] = struct.pack("<ii", width, height)
    elif kind == "TIFF":
        order = "<" if content[:2] == b"II" else ">"
        for tag, value in ((256, width), (257, height)):
            at = content.index(struct.pack(order + "H", tag))
            content[at + 2 : at + 12] = struct.pack(order + "HII", 4, 1, value)
    elif kind == "WEBP":
        extended = b"VP8X" + struct.pack("<II", 10, 0)
        extended += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        content[12:12] = extended
        content[4:8] = struct.pack("<I", len(content) - 8)
    elif kind == "AVIF":
        at = content.index(b"ispe") + 8
        content[at : at + 8] = struct.pack(">II", width, height)
    elif kind == "JPEG2000":
        at = content.index(b"ihdr") + 4
        content[at : at + 8] = struct.pack(">II", height, width)
        at = content.index(b"\xff\x4f\xff\x51") + 8
        content[at : at + 8] = struct.pack(">II", width, height)
    return bytes(content)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "JPEG2000"])
@pytest.mark.parametrize("side", [9_600, 14_000, 16_383])
def test_a_picture_of_too_many_pixels_keeps_its_size(kind: str, side: int) -> None:
    """92, 196 and 268 million pixels: above each of the limits there are."""
    found = look_into(claiming(kind, side, side - 100))
    assert (found.width, found.height) == (side, side - 100)
    # JPEG 2000 is decoded at a fraction of its size, and so is what is left of it.
    assert found.thumbnail is None or kind == "JPEG2000"
    assert found.faults


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "GIF", "JPEG2000", "BMP"])
@pytest.mark.parametrize("part", [0.5, 0.98])
def test_a_truncated_picture_keeps_its_size(kind: str, part: float) -> None:
    noisy = Image.effect_noise((300, 200), 80).convert("RGB")
    whole = saved(noisy, kind)
    found = look_into(whole[: int(len(whole) * part)])
    assert (found.width, found.height) == (300, 200)
    assert found.faults
    if kind in {"PNG", "JPEG", "GIF", "BMP"}:
        assert thumbnail(found).size == (300, 200)
        drawn = ImageStat.Stat(thumbnail(found).convert("L"))
        assert drawn.mean[0] > 30, "what has arrived is drawn"


@pytest.mark.parametrize("at", [0.3, 0.7])
def test_damage_in_the_middle_of_a_png_leaves_what_came_before(at: float) -> None:
    whole = saved(Image.effect_noise((300, 200), 80).convert("RGB"), "PNG")
    start = int(len(whole) * at)
    found = look_into(whole[:start] + bytes(64) + whole[start + 64 :])
    assert (found.width, found.height) == thumbnail(found).size == (300, 200)


def apart(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF"])
def test_a_wide_profile_is_brought_to_the_screen(kind: str) -> None:
    content = saved(
        Image.new("RGB", (64, 48), (200, 100, 60)), kind, icc_profile=media_files.profile()
    )
    found = look_into(content)
    assert found.faults == ()
    assert apart(colour(thumbnail(found), 30, 20), (216, 93, 43)) <= 5


@pytest.mark.parametrize("mode", ["RGBA", "P", "LA"])
def test_a_profile_leaves_transparency_alone(mode: str) -> None:
    image = Image.new("RGBA", (40, 40), (200, 100, 60, 255))
    image.paste((0, 0, 0, 0), (0, 0, 20, 40))
    made = image.quantize(8) if mode == "P" else image.convert(mode)
    small = thumbnail(look_into(saved(made, "PNG", icc_profile=media_files.profile())))
    alpha = small.convert("RGBA").getchannel("A")
    assert (alpha.getpixel((5, 20)), alpha.getpixel((35, 20))) == (0, 255)
    if mode != "LA":
        assert apart(colour(small, 35, 20), (216, 93, 43)) <= 8


def test_a_grey_profile() -> None:
    """Of light as it is measured: what is stored as 100 of 255 looks brighter."""
    linear = media_files.profile(b"GRAY", gamma=1.0)
    found = look_into(saved(Image.new("L", (40, 40), 100), "PNG", icc_profile=linear))
    assert apart(colour(thumbnail(found), 20, 20), (168, 168, 168)) <= 3


@pytest.mark.parametrize("profile", [b"no profile", media_files.profile()[:200], bytes(128)])
def test_a_profile_that_is_none_is_passed_over(profile: bytes) -> None:
    found = look_into(
        saved(Image.new("RGB", (40, 40), (200, 100, 60)), "JPEG", icc_profile=profile)
    )
    assert apart(colour(thumbnail(found), 20, 20), (200, 100, 60)) <= 4


def test_a_profile_of_other_colours_is_passed_over() -> None:
    image = Image.new("CMYK", (40, 40), (0, 128, 200, 30))
    plain = thumbnail(look_into(saved(image, "JPEG")))
    found = look_into(saved(image, "JPEG", icc_profile=media_files.profile()))
    assert difference(thumbnail(found), plain) < 2


def test_colours_named_by_numbers_are_brought_to_the_screen() -> None:
    """Display P3 by H.273, as in PNG's cICP and AVIF's nclx."""
    image = Image.new("RGB", (64, 48), (200, 100, 60))
    named = media_files.png_chunk(b"cICP", bytes((12, 13, 0, 1)))
    found = look_into(media_files.with_chunks(saved(image, "PNG"), named))
    assert apart(colour(thumbnail(found), 30, 20), (215, 94, 49)) <= 4
    avif = bytearray(saved(image, "AVIF"))
    at = avif.index(b"nclx") + 4
    avif[at : at + 2] = struct.pack(">H", 12)
    assert apart(colour(thumbnail(look_into(bytes(avif))), 30, 20), (215, 94, 49)) <= 6


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_transparent_colour_is_transparent(mode: str) -> None:
    image = Image.new(mode, (40, 40), (200, 100, 60) if mode == "RGB" else 130)
    clear = (1, 2, 3) if mode == "RGB" else 1
    image.paste(clear, (0, 0, 20, 40))
    small = thumbnail(look_into(saved(image, "PNG", transparency=clear)))
    assert small.mode == "RGBA"
    alpha = small.getchannel("A")
    assert (alpha.getpixel((5, 20)), alpha.getpixel((35, 20))) == (0, 255)


def sixteen_bits() -> Image.Image:
    grey = media_files.picture(90, 60, "L")
    return grey.convert("I").point(lambda level: level * 257).convert("I;16")


@pytest.mark.parametrize(
    "content",
    [
        media_files.tiff(sixteen_bits()),
        media_files.tiff(sixteen_bits(), big_endian=True),
        saved(sixteen_bits(), "PNG"),
        saved(sixteen_bits(), "JPEG2000"),
        saved(sixteen_bits().convert("I"), "TIFF"),
    ],
)
def test_sixteen_bits_keep_their_upper_eight(content: bytes) -> None:
    small = thumbnail(look_into(content))
    expected = media_files.picture(90, 60, "L")
    for x in (10, 80):
        assert abs(brightness(small, x, 30) - brightness(expected, x, 30)) < 6


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-4.0, 900.0), (7.0, 7.0)])
def test_fractions_are_shown_from_the_darkest_to_the_brightest(low: float, high: float) -> None:
    image = Image.new("F", (40, 40), high)
    image.paste(low, (0, 0, 20, 40))
    small = thumbnail(look_into(saved(image, "TIFF")))
    left, right = brightness(small, 5, 20), brightness(small, 35, 20)
    assert left < 5
    assert right > 250 or low == high


FRAMES = [marked(), marked().transpose(Image.Transpose.ROTATE_180), media_files.picture(160, 60)]


@pytest.mark.parametrize(
    ("kind", "delays", "seconds"),
    [
        ("GIF", [300, 700, 500], 1.5),
        ("WEBP", [300, 700, 500], 1.5),
        ("PNG", [300, 700, 500], 1.5),
        ("AVIF", [300, 700, 500], 1.5),
        ("GIF", [0, 10, 20], 0.22),
        ("WEBP", [0, 10, 20], 0.22),
        ("PNG", [0, 10, 20], 0.22),
    ],
)
def test_an_animation_plays_as_long_as_a_browser_takes(
    kind: str, delays: list[int], seconds: float
) -> None:
    """Once through; delays that no screen can keep count as a tenth of a second."""
    content = saved(
        FRAMES[0], kind, save_all=True, append_images=FRAMES[1:], duration=delays, loop=3
    )
    found = look_into(content)
    assert found.duration == pytest.approx(seconds, abs=0.005)
    assert found.content_type == f"image/{kind.lower()}"
    assert difference(thumbnail(found), marked()) < 12, "the first frame"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF", "JPEG", "TIFF"])
def test_a_picture_that_stands_still_has_no_length(kind: str) -> None:
    assert look_into(saved(marked(), kind)).duration is None


def test_pages_are_no_frames() -> None:
    assert look_into(saved(marked(), "TIFF", save_all=True, append_images=FRAMES)).duration is None


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_a_truncated_animation_is_measured_as_far_as_it_goes(kind: str) -> None:
    noisy = [Image.effect_noise((160, 60), 80).convert("RGB") for _ in range(8)]
    content = saved(noisy[0], kind, save_all=True, append_images=noisy[1:], duration=500)
    found = look_into(content[: len(content) * 3 // 4])
    assert found.duration is not None
    assert 2 <= found.duration < 4


@pytest.mark.parametrize("options", [{}, {"no_jp2": True}])
def test_jpeg_2000_is_decoded_at_a_fraction_of_its_size(options: dict[str, bool]) -> None:
    found = look_into(media_files.image_file("JPEG2000", 4000, 3000, **options))
    assert (found.width, found.height, found.codec, found.faults) == (4000, 3000, "jpeg2000", ())
    assert thumbnail(found).size == (640, 480)
    assert colour(thumbnail(found), 100, 200)[0] > 150


def test_jpeg_2000_that_cannot_be_made_smaller_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_probe, "MAX_CODESTREAM_PIXELS", 50_000)
    content = media_files.image_file("JPEG2000", 300, 200, num_resolutions=1)
    found = look_into(content)
    assert (found.width, found.thumbnail) == (300, None)
    assert "too many" in found.faults[0]


def test_heif_is_looked_into() -> None:
    image = marked(160, 96)
    found = look_into(heif(image))
    assert (found.content_type, found.codec, found.faults) == ("image/heic", "heic", ())
    assert (found.width, found.height, found.duration) == (160, 96, None)
    assert difference(thumbnail(found), image) < 12


@pytest.mark.parametrize("brand", [b"mif1", b"heix", b"msf1"])
def test_heif_of_other_brands_is_looked_into(brand: bytes) -> None:
    assert thumbnail(look_into(heif(marked(160, 96), brand=brand))).size == (160, 96)


def test_heif_on_its_side() -> None:
    found = look_into(heif(marked(160, 96), quarter_turns=3))
    assert (found.width, found.height) == (96, 160)
    upright = marked(160, 96).transpose(Image.Transpose.ROTATE_270)
    assert difference(thumbnail(found), upright) < 12


def test_heif_laid_out_of_tiles_has_the_size_of_the_whole() -> None:
    found = look_into(heif(marked(160, 96), tiles=3))
    assert (found.width, found.height, found.thumbnail) == (480, 96, None)
    assert "no decoder" in found.faults[0]


def bits(*fields: tuple[int, int]) -> bytes:
    value = place = 0
    for width, number in fields:
        value |= number << place
        place += width
    return value.to_bytes(math.ceil(place / 8) + 4, "little")


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ([(1, 0), (2, 1), (13, 1199), (3, 0), (2, 0), (9, 299), (1, 1)], (300, 1200)),
        ([(1, 0), (2, 0), (9, 299), (3, 7), (1, 1)], (600, 300)),
        ([(1, 1), (5, 31), (3, 3), (1, 1)], (341, 256)),
        ([(1, 1), (5, 31), (3, 0), (5, 15), (1, 1)], (128, 256)),
        ([(1, 0), (2, 0), (9, 299), (3, 7), (1, 0), (1, 1), (3, 5)], (300, 600)),
    ],
)
def test_jpeg_xl_has_no_decoder_and_a_size(
    fields: list[tuple[int, int]], size: tuple[int, int]
) -> None:
    bare = b"\xff\x0a" + bits(*fields)
    boxed = b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl "
    boxed += struct.pack(">I4s", 8 + len(bare), b"jxlc") + bare
    for content in (bare, boxed):
        found = look_into(content)
        assert (found.width, found.height) == size
        assert (found.content_type, found.codec) == ("image/jxl", "jxl")
        assert "no decoder" in found.faults[0]


@pytest.mark.parametrize(
    "content_type", sorted(kind for kind in image_probe.KNOWN if kind.startswith("image/"))
)
def test_any_beginning_of_any_picture_is_survived(content_type: str) -> None:
    """No length, no loop and no exception comes of what is cut off or damaged."""
    wholes = {
        "image/heic": heif(marked(64, 64)),
        "image/heif": heif(marked(64, 64), brand=b"mif1"),
        "image/jxl": b"\xff\x0a" + bits((1, 0), (2, 0), (9, 299), (3, 7), (1, 1)),
        "image/jp2": media_files.image_file("JPEG2000", 64, 64),
        "image/j2c": media_files.image_file("JPEG2000", 64, 64, no_jp2=True),
    }
    kind = content_type.partition("/")[2].upper()
    whole = wholes.get(content_type) or saved(marked(64, 64), kind)
    for size in range(0, min(len(whole), 700), 7):
        found = look_into(whole[:size], Sniffed.of(content_type))
        assert found.width is None or found.width > 0
    for at in range(0, min(len(whole), 700), 11):
        damaged = whole[:at] + b"\xff" * 8 + whole[at + 8 :]
        assert look_into(damaged, Sniffed.of(content_type)).codec
