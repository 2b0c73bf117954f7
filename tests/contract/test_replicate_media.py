"""The media the stand-in makes are real, as asked for, and the same for the same input and seed."""

import io
import re
import struct
import zipfile
from typing import Any

import av
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageStat

from devstack.replicate.catalogue import BY_REFERENCE
from devstack.replicate.media.caption import lettering, wrapped
from devstack.replicate.media.request import MediaFile, ModelFailed, Production, Request
from devstack.replicate.media.sizes import FLUX, SEEDANCE, svd_size

FLUX_SCHNELL = "black-forest-labs/flux-schnell"
FLUX_DEV = "black-forest-labs/flux-dev"
FLUX_PRO = "black-forest-labs/flux-1.1-pro"
SVD = "sunfjun/stable-video-diffusion"


def produced(model: str, /, **asked: Any) -> Production:
    """The output for an input; seed 7 unless told, bytes are the files behind addresses."""
    files = {name: value for name, value in asked.items() if isinstance(value, bytes)}
    seed = asked.pop("seed", 7)
    made = BY_REFERENCE[model]
    return made.produce(Request(model, made.with_defaults(asked), files, seed))


def make(model: str, /, **asked: Any) -> list[MediaFile]:
    """The files of that output."""
    return produced(model, **asked).files


def picture(file: MediaFile) -> Image.Image:
    image = Image.open(io.BytesIO(file.content))
    image.load()
    return image


def difference(first: Image.Image, second: Image.Image) -> float:
    """Mean difference of two pictures, 0 to 255."""
    second = second.convert("RGB").resize(first.size)
    return sum(ImageStat.Stat(ImageChops.difference(first.convert("RGB"), second)).mean) / 3


def png(size: tuple[int, int] = (640, 360)) -> bytes:
    """A picture with something in it that can be seen to move."""
    image, buffer = Image.new("RGB", size, "navy"), io.BytesIO()
    draw = ImageDraw.Draw(image)
    for x in range(0, size[0], 40):
        draw.line([(x, 0), (size[0] - x, size[1])], fill="orange", width=6)
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("ratio", FLUX)
def test_every_aspect_ratio_has_its_size(ratio: str) -> None:
    [file] = make(FLUX_SCHNELL, prompt="a lake", aspect_ratio=ratio, megapixels="0.25")

    width, height = FLUX[ratio]
    assert picture(file).size == (width // 2, height // 2)
    asked_width, asked_height = (int(part) for part in ratio.split(":"))
    assert width / height == pytest.approx(asked_width / asked_height, rel=0.04)


@pytest.mark.parametrize(("kind", "name"), [("webp", "WEBP"), ("png", "PNG"), ("jpg", "JPEG")])
def test_every_format(kind: str, name: str) -> None:
    [file] = make(FLUX_SCHNELL, prompt="a lake", output_format=kind)

    assert picture(file).format == name
    assert picture(file).size == (1024, 1024)
    assert file.name == f"out-0.{kind}"
    assert file.content_type == f"image/{name.lower()}"


def test_quality_counts() -> None:
    asked: dict[str, Any] = {
        "prompt": "Tokyo at night",
        "output_format": "jpg",
        "megapixels": "0.25",
    }

    coarse, fine = (make(FLUX_SCHNELL, **asked, output_quality=q)[0] for q in (5, 95))

    assert len(coarse.content) * 3 < len(fine.content)


def test_the_same_input_and_seed_give_the_same_bytes() -> None:
    asked: dict[str, Any] = {"prompt": "a lake", "megapixels": "0.25", "num_outputs": 2}

    first, again, other = (make(FLUX_SCHNELL, **asked, seed=seed) for seed in (3, 3, 4))

    assert first == again
    assert len({file.content for file in first}) == 2
    assert difference(picture(first[0]), picture(other[0])) > 3


PROMPTS = (
    "a lighthouse by the sea at sunset",
    "a red fox in a misty forest",
    "neon city",
    "an astronaut in space",
    "caravan crossing the desert",
    "snowy mountains at dawn",
)


def test_different_prompts_look_different() -> None:
    pictures = [picture(make(FLUX_SCHNELL, prompt=p, megapixels="0.25")[0]) for p in PROMPTS]

    for index, first in enumerate(pictures):
        for second in pictures[index + 1 :]:
            assert difference(first, second) > 15


def test_the_prompt_is_written_on_the_picture() -> None:
    [long], [short] = (
        make(FLUX_SCHNELL, prompt=prompt, output_format="png")
        for prompt in ("snow " * 12, "snow " * 2)
    )

    def white(file: MediaFile) -> int:
        lower = picture(file).convert("L").crop((0, 800, 1024, 1024))
        return sum(lower.histogram()[250:])

    assert white(long) > 2 * white(short) > 1000


def test_a_long_prompt_is_cut_after_three_lines() -> None:
    font = ImageFont.load_default(40)

    lines = wrapped("word " * 200, font, 600)
    word = wrapped("w" * 500, font, 600)

    assert len(lines) == 3
    assert lines[-1].endswith("…")
    assert len(word) == 3
    assert word[-1].endswith("…")
    assert all(font.getlength(line) <= 600 for line in lines + word)
    assert wrapped("two\nlines", font, 600) == ["two lines"]


@pytest.mark.parametrize("prompt", ["", "é\n\t\x00\ufffe日", "half \ud83d", "\U0001f98a" * 900])
def test_any_prompt_can_be_written_on_the_smallest_picture(prompt: str) -> None:
    for width, height in ((8, 8), (8, 640), (640, 8)):
        [file] = make("stability-ai/sdxl", prompt=prompt, width=width, height=height)

        assert picture(file).size == (width, height)


def test_letters_that_pillow_has_not_come_from_another_font() -> None:
    own, other = (lettering(frozenset(text), 40) for text in ("a lake", "озеро"))

    plain = ImageFont.load_default(40)
    assert bytes(own.getmask("a lake")) == bytes(plain.getmask("a lake"))
    if bytes(other.getmask("з")) == bytes(plain.getmask("з")):
        pytest.skip("no font with Cyrillic letters on this machine")
    assert len({bytes(other.getmask(letter)) for letter in "озер"}) == 4


def test_an_input_picture_shows_through() -> None:
    source = png((800, 450))

    weak, strong = (
        picture(
            make(FLUX_DEV, image=source, prompt="a lake", prompt_strength=part, megapixels="0.25")[
                0
            ]
        )
        for part in (0.1, 0.9)
    )

    assert weak.size == (1344 // 2, 768 // 2)
    original = Image.open(io.BytesIO(source))
    assert difference(weak, original) < difference(strong, original) / 2


def test_flux_pro_rounds_a_custom_size() -> None:
    asked: dict[str, Any] = {
        "prompt": "a lake",
        "aspect_ratio": "custom",
        "width": 500,
        "height": 300,
    }

    [file] = make(FLUX_PRO, **asked)

    assert picture(file).size == (512, 288)
    assert re.fullmatch(r"tmp[0-9a-f]{8}\.webp", file.name)


def test_sdxl_makes_pngs_of_the_size_asked_for() -> None:
    files = make("stability-ai/sdxl", prompt="a lake", width=256, height=192, num_outputs=2)

    assert [file.name for file in files] == ["out-0.png", "out-1.png"]
    assert [picture(file).size for file in files] == [(256, 192)] * 2


class Film:
    """A decoded video."""

    def __init__(self, file: MediaFile) -> None:
        assert file.content_type == "video/mp4"
        with av.open(io.BytesIO(file.content), "r") as container:
            stream = container.streams.video[0]
            self.codec = stream.codec_context.name
            self.pixels = stream.codec_context.pix_fmt
            self.fps = float(stream.average_rate or 0)
            self.seconds = float(container.duration or 0) / 1_000_000
            self._frames = list(container.decode(stream))
        self.count = len(self._frames)
        self.size = self[0].size

    def __getitem__(self, index: int) -> Image.Image:
        image: Image.Image = self._frames[index].to_image()  # type: ignore[no-untyped-call]
        return image


@pytest.mark.parametrize(
    ("length", "frames", "fps"),
    [("14_frames_with_svd", 14, 6), ("25_frames_with_svd_xt", 25, 24)],
)
def test_a_picture_comes_to_life(length: str, frames: int, fps: int) -> None:
    asked: dict[str, Any] = {"video_length": length, "frames_per_second": fps}

    [file] = make(SVD, input_image=png(), **asked)
    film = Film(file)

    assert (film.codec, film.pixels, film.fps) == ("h264", "yuv420p", fps)
    assert film.size == (1024, 576)
    assert film.count == frames
    assert film.seconds == pytest.approx(frames / fps, abs=0.01)
    assert difference(film[0], Image.open(io.BytesIO(png()))) < 12
    assert difference(film[0], film[-1]) > 20
    assert file.name == "000000.mp4"


def small_film(**asked: Any) -> MediaFile:
    return make(SVD, input_image=png((256, 128)), sizing_strategy="use_image_dimensions", **asked)[
        0
    ]


def test_the_same_picture_and_seed_give_the_same_film() -> None:
    first, again, other = (small_film(seed=seed) for seed in (3, 3, 4))

    assert first == again
    assert first != other


def test_more_motion_moves_more() -> None:
    calm, lively = (Film(small_film(motion_bucket_id=motion)) for motion in (1, 255))

    assert calm.size == (256, 128)
    assert difference(calm[0], calm[4]) < difference(lively[0], lively[4])


@pytest.mark.parametrize(
    ("picture_size", "strategy", "size"),
    [
        ((1920, 1080), "maintain_aspect_ratio", (1024, 576)),
        ((1080, 1920), "maintain_aspect_ratio", (576, 1024)),
        ((1000, 1000), "maintain_aspect_ratio", (768, 768)),
        ((1000, 1000), "crop_to_16_9", (1024, 576)),
        ((650, 500), "use_image_dimensions", (640, 448)),
        ((9000, 6000), "use_image_dimensions", (960, 640)),
        ((4000, 20), "maintain_aspect_ratio", (1536, 256)),
    ],
)
def test_sizes_of_stable_video(
    picture_size: tuple[int, int], strategy: str, size: tuple[int, int]
) -> None:
    assert svd_size(picture_size, strategy) == size


def test_a_film_from_a_prompt() -> None:
    [file] = make("minimax/video-01", prompt="a ship on the sea")
    film = Film(file)

    assert (film.size, film.fps, film.seconds) == ((1280, 720), 25, 6)
    assert film.count == 150
    assert difference(film[0], film[75]) > 1
    assert difference(film[75], film[149]) > 1
    assert re.fullmatch(r"tmp[0-9a-f]{8}\.output\.mp4", file.name)


def test_seedance_takes_length_resolution_and_ratio() -> None:
    asked: dict[str, Any] = {"duration": 2, "resolution": "480p", "aspect_ratio": "9:16"}

    first, other = (
        make("bytedance/seedance-1-lite", prompt=prompt, **asked)[0]
        for prompt in ("a fox", "an owl")
    )

    film = Film(first)
    assert (film.size, film.fps, film.seconds) == (SEEDANCE["480p"]["9:16"], 24, 2)
    assert difference(film[0], Film(other)[0]) > 2


def test_a_film_can_start_from_a_picture() -> None:
    asked: dict[str, Any] = {"prompt": "a lake", "duration": 2, "resolution": "480p"}

    film = Film(make("bytedance/seedance-1-lite", image=png((500, 500)), **asked)[0])

    assert film.size == SEEDANCE["480p"]["1:1"]
    original = Image.open(io.BytesIO(png((500, 500))))
    beginning, end = (difference(film[n], original) for n in (0, -1))
    assert beginning < end / 1.5


class Sound:
    """A decoded sound; `loudness` is the mean absolute sample of each tenth of it."""

    def __init__(self, file: MediaFile) -> None:
        with av.open(io.BytesIO(file.content), "r") as container:
            stream = container.streams.audio[0]
            self.codec = stream.codec_context.name
            self.rate, self.channels = stream.rate, stream.channels
            self.seconds = float(container.duration or 0) / 1_000_000
            resampler = av.AudioResampler(format="s16", layout="mono", rate=8000)
            data = b"".join(
                bytes(piece.planes[0])[: piece.samples * 2]
                for frame in container.decode(stream)
                for piece in resampler.resample(frame)
            )
        samples = struct.unpack(f"<{len(data) // 2}h", data)
        tenth = len(samples) // 10
        self.loudness = [
            sum(map(abs, samples[n * tenth : (n + 1) * tenth])) / tenth for n in range(10)
        ]


@pytest.mark.parametrize(
    ("kind", "codec", "content_type"),
    [("wav", "pcm_s16le", "audio/wav"), ("mp3", "mp3float", "audio/mpeg")],
)
def test_music_lasts_as_long_as_asked(kind: str, codec: str, content_type: str) -> None:
    [file] = make("meta/musicgen", prompt="warm piano", duration=8, output_format=kind)
    sound = Sound(file)

    assert (sound.codec, sound.rate, sound.channels) == (codec, 32_000, 2)
    assert sound.seconds == pytest.approx(8, abs=0.1)
    assert min(sound.loudness) > 200
    assert (file.name, file.content_type) == (f"out.{kind}", content_type)


def test_music_longer_than_its_loop() -> None:
    sound = Sound(make("meta/musicgen", prompt="warm piano", duration=45, model_version="large")[0])

    assert (sound.seconds, sound.channels) == (45, 1)
    assert min(sound.loudness) > 200


def test_music_follows_prompt_and_seed() -> None:
    asked: dict[str, Any] = {"duration": 1}

    first, again = (make("meta/musicgen", prompt="piano", **asked)[0].content for _ in range(2))
    other = make("meta/musicgen", prompt="drums", **asked)[0].content
    seed = make("meta/musicgen", prompt="piano", **asked, seed=8)[0].content
    clip = make("meta/musicgen", input_audio=b"x", prompt="piano", **asked)[0].content

    assert first == again
    assert len({first, other, seed, clip}) == 4


def test_music_that_is_too_long_or_too_short() -> None:
    with pytest.raises(ModelFailed, match="CUDA out of memory"):
        make("meta/musicgen", prompt="piano", duration=3600)
    with pytest.raises(ModelFailed, match="positive duration"):
        make("meta/musicgen", prompt="piano", duration=0)


def test_stable_audio() -> None:
    [file] = make("stackadoc/stable-audio-open-1.0", prompt="128 BPM drum loop", seconds_total=2)

    sound = Sound(file)

    assert (file.name, sound.rate, sound.channels, sound.seconds) == ("output.wav", 44_100, 2, 2)
    assert min(sound.loudness[:8]) > 200


def test_speech_and_the_archive_that_comes_with_it() -> None:
    asked: dict[str, Any] = {"prompt": "Hello there, [laughs] how are you?", "output_full": True}

    output = produced("suno-ai/bark", **asked).output
    speech, archive = output["audio_out"], output["prompt_npz"]
    sound = Sound(speech)

    assert output.keys() == {"audio_out", "prompt_npz"}
    assert (sound.rate, sound.channels) == (24_000, 1)
    assert 1 < sound.seconds < 5
    with zipfile.ZipFile(io.BytesIO(archive.content)) as arrays:
        assert arrays.testzip() is None
        header = arrays.read("fine_prompt.npy")
        assert sorted(arrays.namelist()) == [
            "coarse_prompt.npy",
            "fine_prompt.npy",
            "semantic_prompt.npy",
        ]
    assert header.startswith(b"\x93NUMPY\x01\x00")
    assert b"'shape': (8, 98)" in header
    length = struct.unpack("<H", header[8:10])[0]
    assert (10 + length) % 64 == 0
    assert len(header) == 10 + length + 8 * 98 * 8


def test_speech_ends_where_bark_ends_and_differs_by_voice() -> None:
    long = Sound(make("suno-ai/bark", prompt="la " * 500)[0])
    voices = {
        make("suno-ai/bark", prompt="Hello.", history_prompt=voice)[0].content
        for voice in ("en_speaker_1", "en_speaker_2", None)
    }

    assert long.seconds == 13.5
    assert len(voices) == 3
