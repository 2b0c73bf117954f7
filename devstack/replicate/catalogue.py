"""The models the stand-in offers: identity, inputs, outputs, how long they take, what they cost.

Ids, versions and schemas are those the models publish on replicate.com; prices are Replicate's
price page (per output) or its hardware price for a second of GPU time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from devstack.replicate.schemas import audio, image, video
from devstack.replicate.schemas.fields import UNSET, Field, openapi

URI: Mapping[str, Any] = {"type": "string", "format": "uri"}
URI_LIST: Mapping[str, Any] = {"type": "array", "items": URI}
BARK_OUTPUT: Mapping[str, Any] = {
    "type": "object",
    "required": ["audio_out"],
    "properties": {"audio_out": URI, "prompt_npz": URI},
}

A100 = 0.0014  # US dollars a second
L40S = 0.000975
T4 = 0.000225

Input = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Model:
    """`seconds` is the usual predict_time; `price` the US dollars of (input, outputs, predict_time).

    Official models are called by name, never cold and priced by output; all others are pinned to
    a version and priced by the second of GPU time.
    """

    owner: str
    name: str
    version: str
    version_created_at: str
    cog_version: str
    official: bool
    description: str
    fields: tuple[Field, ...]
    output: Mapping[str, Any]
    seconds: Callable[[Input], float]
    price: Callable[[Input, int, float], float]
    boot_seconds: float = 0.011
    run_count: int = 0

    @property
    def reference(self) -> str:
        return f"{self.owner}/{self.name}"

    @property
    def openapi(self) -> dict[str, Any]:
        return openapi(self.fields, self.output)

    def with_defaults(self, asked: Input) -> dict[str, Any]:
        """The input a model's `predict()` gets: defaults filled in, unknown keys gone."""
        filled: dict[str, Any] = {}
        for field in self.fields:
            value = asked.get(field.name, None if field.default is UNSET else field.default)
            whole = field.type == "integer" and isinstance(value, float)  # 5.0 is an integer, too
            filled[field.name] = int(value) if whole else value
        return filled


def gpu(rate: float) -> Callable[[Input, int, float], float]:
    return lambda _input, _outputs, predict_time: rate * predict_time


def each(price: float) -> Callable[[Input, int, float], float]:
    return lambda _input, outputs, _predict_time: price * outputs


def _seedance_price(asked: Input, outputs: int, _predict_time: float) -> float:
    rates = {"480p": 0.018, "720p": 0.036, "1080p": 0.072}
    return outputs * float(asked["duration"]) * rates[asked["resolution"]]


def _per_image(first: float) -> Callable[[Input], float]:
    return lambda asked: first * (0.6 + 0.4 * int(asked.get("num_outputs") or 1))


MODELS: tuple[Model, ...] = (
    Model(
        owner="black-forest-labs",
        name="flux-schnell",
        version="53d5d1586a229bd033e060941789bfb0c177cefd5ef638f34b3099658343a897",
        version_created_at="2024-12-19T23:04:31.620016Z",
        cog_version="0.11.6",
        official=True,
        description="The fastest image generation model of the FLUX.1 family",
        fields=image.FLUX_SCHNELL,
        output=URI_LIST,
        seconds=_per_image(0.83),
        price=each(0.003),
        run_count=512_043_311,
    ),
    Model(
        owner="black-forest-labs",
        name="flux-dev",
        version="7863d1ba11a1bb115732a12488486eb8bb3d54ae62cff189f1677a31dbcdfd2e",
        version_created_at="2024-12-20T21:07:57.469617Z",
        cog_version="0.9.21",
        official=True,
        description="A 12 billion parameter rectified flow transformer",
        fields=image.FLUX_DEV,
        output=URI_LIST,
        seconds=_per_image(3.2),
        price=each(0.025),
        run_count=31_250_774,
    ),
    Model(
        owner="black-forest-labs",
        name="flux-1.1-pro",
        version="badb73d13c01c716f59b538fae81023a6c0a4f3aaedd00d477602c204c9e1232",
        version_created_at="2024-11-25T18:19:16.328690Z",
        cog_version="0.10.0-alpha25",
        official=True,
        description="Faster, better FLUX Pro: text-to-image with excellent prompt following",
        fields=image.FLUX_PRO,
        output=URI,
        seconds=lambda _asked: 3.8,
        price=each(0.04),
        run_count=62_114_820,
    ),
    Model(
        owner="stability-ai",
        name="sdxl",
        version="7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc",
        version_created_at="2024-05-23T23:26:26.222931Z",
        cog_version="0.9.5",
        official=False,
        description="A text-to-image generative AI model that creates beautiful images",
        fields=image.SDXL,
        output=URI_LIST,
        seconds=_per_image(5.5),
        price=gpu(L40S),
        boot_seconds=0.4,
        run_count=84_402_611,
    ),
    Model(
        owner="sunfjun",
        name="stable-video-diffusion",
        version="d68b6e09eedbac7a49e3d8644999d93579c386a083768235cabca88796d70d82",
        version_created_at="2024-03-22T14:30:13.632003Z",
        cog_version="0.9.5",
        official=False,
        description="Turns an image into a short video",
        fields=video.STABLE_VIDEO,
        output=URI,
        seconds=lambda _asked: 31.8,
        price=gpu(A100),
        boot_seconds=1.2,
        run_count=101_896,
    ),
    Model(
        owner="minimax",
        name="video-01",
        version="6be8dfbbf29ba949b6bce8ca1b93fd8cf24f84f0b246852e98e0a5c7a4c02091",
        version_created_at="2024-11-27T10:35:27.221916Z",
        cog_version="0.10.0-alpha25",
        official=True,
        description="Generates 6 second videos from text or an image",
        fields=video.VIDEO_01,
        output=URI,
        seconds=lambda _asked: 289.2,
        price=each(0.5),
        run_count=571_408,
    ),
    Model(
        owner="bytedance",
        name="seedance-1-lite",
        # Its version id is hidden, as all official models' are today; this one is made up.
        version=sha256(b"bytedance/seedance-1-lite").hexdigest(),
        version_created_at="2025-06-16T09:12:44.118302Z",
        cog_version="0.15.7",
        official=True,
        description="Text-to-video and image-to-video, 2 to 12 seconds, up to 1080p",
        fields=video.SEEDANCE,
        output=URI,
        seconds=lambda asked: 7.0 * float(asked["duration"]),
        price=_seedance_price,
        run_count=1_906_338,
    ),
    Model(
        owner="meta",
        name="musicgen",
        version="671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb",
        version_created_at="2024-03-28T11:07:13.003999Z",
        cog_version="0.8.6",
        official=False,
        description="Generate music from a prompt or melody",
        fields=audio.MUSICGEN,
        output=URI,
        seconds=lambda asked: 8.3 * max(1, int(asked["duration"])),
        price=gpu(A100),
        boot_seconds=0.09,
        run_count=2_714_290,
    ),
    Model(
        owner="suno-ai",
        name="bark",
        version="b76242b40d67c76ab6742e987628a2a9ac019e11d56ab96c4e91ce03b79b2787",
        version_created_at="2023-04-27T20:11:57.984157Z",
        cog_version="0.7.0-beta19",
        official=False,
        description="Text-prompted generative audio",
        fields=audio.BARK,
        output=BARK_OUTPUT,
        seconds=lambda _asked: 44.9,
        price=gpu(T4),
        boot_seconds=0.7,
        run_count=289_133,
    ),
    Model(
        owner="stackadoc",
        name="stable-audio-open-1.0",
        version="9aff84a639f96d0f7e6081cdea002d15133d0043727f849c40abdd166b7c75a8",
        version_created_at="2024-06-20T14:24:00.753509Z",
        cog_version="0.9.9",
        official=False,
        description="Short audio samples, sound effects and production elements from text",
        fields=audio.STABLE_AUDIO,
        output=URI,
        seconds=lambda _asked: 8.6,
        price=gpu(A100),
        boot_seconds=0.5,
        run_count=118_507,
    ),
)

BY_REFERENCE: Mapping[str, Model] = {model.reference: model for model in MODELS}
BY_VERSION: Mapping[str, Model] = {model.version: model for model in MODELS}
