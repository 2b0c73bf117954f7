"""The models the stand-in always offers: identity, schema, how long they take, what they cost.

Ids, versions and schemas are those the models publish on replicate.com; prices are Replicate's
price page (per output) or its hardware price for a second of GPU time.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from devstack.replicate.media.models import PRODUCERS
from devstack.replicate.model import A100, L40S, T4, WARM, Input, Model, gpu
from devstack.replicate.schemas import audio, image, video
from devstack.replicate.schemas.fields import openapi
from devstack.replicate.schemas.interface import Interface

URI: Mapping[str, Any] = {"type": "string", "format": "uri"}
URI_LIST: Mapping[str, Any] = {"type": "array", "items": URI}
BARK_OUTPUT: Mapping[str, Any] = {
    "type": "object",
    "required": ["audio_out"],
    "properties": {"audio_out": URI, "prompt_npz": URI},
}


def each(price: float) -> Callable[[Input, int, float], float]:
    return lambda _input, outputs, _predict_time: price * outputs


def _seedance_price(asked: Input, outputs: int, _predict_time: float) -> float:
    rates = {"480p": 0.018, "720p": 0.036, "1080p": 0.072}
    return outputs * float(asked["duration"]) * rates[asked["resolution"]]


def _per_image(first: float) -> Callable[[Input], float]:
    return lambda asked: first * (0.6 + 0.4 * int(asked.get("num_outputs") or 1))


def _per_second(each_takes: float) -> Callable[[Input], float]:
    return lambda asked: each_takes * max(1, int(asked["duration"]))


def _always(seconds: float) -> Callable[[Input], float]:
    return lambda _asked: seconds


# Two lines a model: reference and version; when that was made, by which cog, runs and description.
# The version of seedance is made up: those of official models are hidden today.
_IDENTITIES = """\
black-forest-labs/flux-schnell 53d5d1586a229bd033e060941789bfb0c177cefd5ef638f34b3099658343a897
2024-12-19T23:04:31.620016Z 0.11.6 512043311 The fastest image generation model of the FLUX.1 family
black-forest-labs/flux-dev 7863d1ba11a1bb115732a12488486eb8bb3d54ae62cff189f1677a31dbcdfd2e
2024-12-20T21:07:57.469617Z 0.9.21 31250774 A 12 billion parameter rectified flow transformer
black-forest-labs/flux-1.1-pro badb73d13c01c716f59b538fae81023a6c0a4f3aaedd00d477602c204c9e1232
2024-11-25T18:19:16.328690Z 0.10.0-alpha25 62114820 Faster, better FLUX Pro with excellent prompt following
stability-ai/sdxl 7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc
2024-05-23T23:26:26.222931Z 0.9.5 84402611 A text-to-image generative AI model that creates beautiful images
sunfjun/stable-video-diffusion d68b6e09eedbac7a49e3d8644999d93579c386a083768235cabca88796d70d82
2024-03-22T14:30:13.632003Z 0.9.5 101896 Turns an image into a short video
minimax/video-01 6be8dfbbf29ba949b6bce8ca1b93fd8cf24f84f0b246852e98e0a5c7a4c02091
2024-11-27T10:35:27.221916Z 0.10.0-alpha25 571408 Generates 6 second videos from text or an image
bytedance/seedance-1-lite 7f7992a2f460e9985c09d536b88a2a437a6d28abcd5824c1e3443df139bf31d5
2025-06-16T09:12:44.118302Z 0.15.7 1906338 Text-to-video and image-to-video, 2 to 12 seconds, up to 1080p
meta/musicgen 671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb
2024-03-28T11:07:13.003999Z 0.8.6 2714290 Generate music from a prompt or melody
suno-ai/bark b76242b40d67c76ab6742e987628a2a9ac019e11d56ab96c4e91ce03b79b2787
2023-04-27T20:11:57.984157Z 0.7.0-beta19 289133 Text-prompted generative audio
stackadoc/stable-audio-open-1.0 9aff84a639f96d0f7e6081cdea002d15133d0043727f849c40abdd166b7c75a8
2024-06-20T14:24:00.753509Z 0.9.9 118507 Short audio samples, sound effects and production elements from text
"""
# Inputs, output, seconds, price, and of those that are not official the seconds of a cold start.
_BEHAVIOURS: Mapping[str, tuple[Any, ...]] = {
    "black-forest-labs/flux-schnell": (image.FLUX_SCHNELL, URI_LIST, _per_image(0.83), each(0.003)),
    "black-forest-labs/flux-dev": (image.FLUX_DEV, URI_LIST, _per_image(3.2), each(0.025)),
    "black-forest-labs/flux-1.1-pro": (image.FLUX_PRO, URI, _always(3.8), each(0.04)),
    "stability-ai/sdxl": (image.SDXL, URI_LIST, _per_image(5.5), gpu(L40S), 0.4),
    "sunfjun/stable-video-diffusion": (video.STABLE_VIDEO, URI, _always(31.8), gpu(A100), 1.2),
    "minimax/video-01": (video.VIDEO_01, URI, _always(289.2), each(0.5)),
    "bytedance/seedance-1-lite": (video.SEEDANCE, URI, _per_second(7.0), _seedance_price),
    "meta/musicgen": (audio.MUSICGEN, URI, _per_second(8.3), gpu(A100), 0.09),
    "suno-ai/bark": (audio.BARK, BARK_OUTPUT, _always(44.9), gpu(T4), 0.7),
    "stackadoc/stable-audio-open-1.0": (audio.STABLE_AUDIO, URI, _always(8.6), gpu(A100), 0.5),
}


def _models() -> Iterator[Model]:
    lines = iter(_IDENTITIES.splitlines())
    for identity, about in zip(lines, lines, strict=True):
        reference, version = identity.split()
        owner, name = reference.split("/")
        created, cog, runs, description = about.split(" ", 3)
        fields, output, seconds, price, *boot = _BEHAVIOURS[reference]
        yield Model(
            owner=owner,
            name=name,
            version=version,
            version_created_at=created,
            cog_version=cog,
            official=not boot,
            description=description,
            interface=Interface(openapi(fields, output)),
            produce=PRODUCERS[reference],
            seconds=seconds,
            price=price,
            boot_seconds=boot[0] if boot else WARM,
            run_count=int(runs),
        )


MODELS = tuple(_models())
BY_REFERENCE: Mapping[str, Model] = {model.reference: model for model in MODELS}
