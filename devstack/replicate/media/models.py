"""What each model does with its input, down to its file names, limits and failures."""

import hashlib
from collections.abc import Callable, Mapping

from PIL import Image

from devstack.replicate.media.documents import document
from devstack.replicate.media.film import film, shots
from devstack.replicate.media.picture import render
from devstack.replicate.media.request import (
    ALL_NSFW,
    MediaFile,
    ModelFailed,
    Production,
    Request,
    temporary_name,
)
from devstack.replicate.media.sizes import FLUX, SEEDANCE, Size, flux_pro_size, nearest, svd_size
from devstack.replicate.media.sound import music, spoken_seconds

_NSFW = "NSFW content detected. Try running it again, or try a different prompt."
_MAX_PIXELS = 4 * 1024**2
_MAX_AUDIO_SECONDS = 600
_NO_MEMORY = (
    "CUDA out of memory. Tried to allocate 26.11 GiB (GPU 0; 79.15 GiB total capacity; "
    "58.33 GiB already allocated; 19.60 GiB free; 58.89 GiB reserved in total by PyTorch)"
)


def _flux(request: Request) -> Production:
    """flux-schnell and flux-dev: num_outputs images; with `image` they take its aspect ratio."""
    asked, source = request.input, request.picture("image")
    width, height = FLUX[nearest(source.size, FLUX) if source else asked["aspect_ratio"]]
    if asked["megapixels"] == "0.25":
        width, height = width // 2, height // 2
    return _images(request, (width, height), asked["output_format"], source)


def _flux_pro(request: Request) -> Production:
    """flux-1.1-pro: one image under a temporary file's name."""
    asked, guide = request.input, request.picture("image_prompt")
    size, kind, quality = flux_pro_size(asked), asked["output_format"], asked["output_quality"]
    content = render(request.prompt, request.seed, size, kind, quality, guide, 0.5)
    return Production(MediaFile(f"{temporary_name(content)}.{kind}", content)).checked(request)


def _sdxl(request: Request) -> Production:
    width, height = request.input["width"], request.input["height"]
    if width % 8 or height % 8 or width < 8 or height < 8:
        text = f"`height` and `width` have to be divisible by 8 but are {height} and {width}."
        raise ModelFailed(text)
    if width * height > _MAX_PIXELS:
        raise ModelFailed(_NO_MEMORY)
    return _images(request, (width, height), "png", request.picture("image"), _NSFW)


def _stable_video(request: Request) -> Production:
    asked, source = request.input, request.picture("input_image")
    if source is None:
        raise ModelFailed("input_image is required")
    size = svd_size(source.size, asked["sizing_strategy"])
    frames = 14 if asked["video_length"].startswith("14") else 25
    motion = asked["motion_bucket_id"] / 255
    pictures = shots("", request.seed, size, frames, source, motion)
    content = film(pictures, size, asked["frames_per_second"])
    return Production(MediaFile("000000.mp4", content))


def _video_01(request: Request) -> Production:
    """Six seconds of 720p at 25 frames a second."""
    return _video(request, (1280, 720), 6, 25, request.picture("first_frame_image"))


def _seedance(request: Request) -> Production:
    asked, source = request.input, request.picture("image")
    sizes = SEEDANCE[asked["resolution"]]
    size = sizes[nearest(source.size, sizes) if source else asked["aspect_ratio"]]
    return _video(request, size, asked["duration"], asked["fps"], source)


def _musicgen(request: Request) -> Production:
    asked, clip = request.input, request.files.get("input_audio")
    stereo = asked["model_version"].startswith("stereo")
    if not request.prompt and clip is None:
        raise ModelFailed("Must provide either prompt or input_audio")
    if asked["continuation"] and clip is None:
        raise ModelFailed("Must provide `input_audio` if continuation is `True`.")
    if asked["multi_band_diffusion"] and stereo:
        raise ModelFailed("Multi-Band Diffusion is only available with non-stereo models.")
    theme, kind = f"{request.prompt}{_digest(clip)}", asked["output_format"]
    channels = 2 if stereo else 1
    content = _music(request, asked["duration"], theme, kind, rate=32_000, channels=channels)
    return Production(MediaFile(f"out.{kind}", content))


def _stable_audio(request: Request) -> Production:
    theme = f"{request.prompt}\0{request.input['negative_prompt']}"
    seconds = request.input["seconds_total"]
    content = _music(request, seconds, theme, "wav", rate=44_100, channels=2)
    return Production(MediaFile("output.wav", content))


def _bark(request: Request) -> Production:
    """Sound as long as its words, and with `output_full` the generation as .npz."""
    prompt, voice = request.prompt, request.input["history_prompt"]
    theme = f"{prompt}{voice}{_digest(request.files.get('custom_history_prompt'))}"
    content = music(theme, request.seed, spoken_seconds(prompt), "wav", rate=24_000, channels=1)
    output = {"audio_out": MediaFile("audio.wav", content)}
    if request.input["output_full"]:
        output["prompt_npz"] = MediaFile("prompt.npz", document("npz", prompt, request.seed))
    return Production(output)


def _images(
    request: Request,
    size: Size,
    kind: str,
    source: Image.Image | None,
    all_flagged: str = ALL_NSFW,
) -> Production:
    """`num_outputs` images, less those that the safety checker drops."""
    prompt, quality = request.prompt, request.input.get("output_quality", 90)
    strength = float(request.input["prompt_strength"]) if source else 1.0
    files = [
        MediaFile(
            f"out-{index}.{kind}",
            render(prompt, request.seed + index, size, kind, quality, source, strength),
        )
        for index in range(request.input["num_outputs"])
    ]
    return Production(files).checked(request, all_flagged)


def _video(
    request: Request, size: Size, seconds: int, fps: int, first: Image.Image | None
) -> Production:
    content = film(shots(request.prompt, request.seed, size, seconds * fps, first), size, fps)
    file = MediaFile(f"{temporary_name(content)}.output.mp4", content)
    return Production(file).checked(request)


def _music(
    request: Request, seconds: int, theme: str, kind: str, *, rate: int, channels: int
) -> bytes:
    if seconds < 1:
        raise ModelFailed(f"Expected a positive duration but got {seconds}")
    if seconds > _MAX_AUDIO_SECONDS:
        raise ModelFailed(_NO_MEMORY)
    return music(theme, request.seed, seconds, kind, rate=rate, channels=channels)


def _digest(content: bytes | None) -> str:
    return hashlib.sha256(content or b"").hexdigest()


PRODUCERS: Mapping[str, Callable[[Request], Production]] = {
    "black-forest-labs/flux-schnell": _flux,
    "black-forest-labs/flux-dev": _flux,
    "black-forest-labs/flux-1.1-pro": _flux_pro,
    "stability-ai/sdxl": _sdxl,
    "sunfjun/stable-video-diffusion": _stable_video,
    "minimax/video-01": _video_01,
    "bytedance/seedance-1-lite": _seedance,
    "meta/musicgen": _musicgen,
    "suno-ai/bark": _bark,
    "stackadoc/stable-audio-open-1.0": _stable_audio,
}
